"""A picture or a sound is a row; its key survives re-encoding; hostile files are rows that were not decoded."""

import io
import wave

import numpy as np
from PIL import Image

from bartizan.data import layout, media
from bartizan.data.media import difference_hash, label_of, media_batches, picture, sound


def png(pixels):
    """The bytes of a PNG."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def wav(samples):
    """The bytes of a WAV file, 8 kHz mono."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(samples.astype(np.int16).tobytes())
    return buffer.getvalue()


def smooth(seed):
    """A picture with large shapes."""
    rng = np.random.default_rng(seed)
    return np.kron(rng.integers(0, 255, (8, 9)), np.ones((8, 8))).astype(np.uint8)


def test_the_key_of_a_picture_survives_jpeg():
    """And tells pictures apart."""
    buffer = io.BytesIO()
    Image.fromarray(smooth(1)).save(buffer, "JPEG", quality=90)
    one, again, other = (difference_hash(picture(data)) for data in (png(smooth(1)), buffer.getvalue(), png(smooth(2))))
    assert (np.unpackbits(np.frombuffer(one, np.uint8)) ^ np.unpackbits(np.frombuffer(again, np.uint8))).sum() <= 3
    assert one != other


def test_hostile_files_are_not_decoded_and_still_rows(tmp_path, monkeypatch):
    """A bomb, a broken file and a sound that is none."""
    monkeypatch.setattr(media, "MOST_PIXELS", 10_000)
    assert picture(png(np.zeros((200, 200), np.uint8))) is None
    assert picture(b"\x89PNG broken") is None
    assert sound(b"RIFF no") == (None, 0)
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat/a.png").write_bytes(b"no")
    (tmp_path / "cat/b.png").write_bytes(png(smooth(1)))
    shards = [s for name in ("cat/a.png", "cat/b.png") for s, _ in layout.cut(tmp_path / name, name, "images")]
    (batch,) = media_batches(tmp_path, "images", shards, 0)
    assert batch.frame["decoded"].to_list() == [False, True]
    assert batch.frame["label"].to_list() == ["cat", "cat"]
    assert label_of("x.png") == ""


def test_sounds_are_measured():
    """Length and loudness; 8-bit silence is silent."""
    samples, rate = sound(wav(10000 * np.sin(np.arange(8000))))
    assert rate == 8000
    assert len(samples) == 8000
    assert 0.15 < np.sqrt((samples**2).mean()) < 0.25

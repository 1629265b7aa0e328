"""Decoding: hostile bytes become pixels within limits, or an error that says why not."""

import io

import numpy as np
import pytest
from PIL import Image

from bartizan.core.errors import BadArtifact
from bartizan.detect.pictures.decoding import FORMATS, FRAMES, MOST_PIXELS, decoded


def saved(image: Image.Image, kind: str, **how: object) -> bytes:
    kept = io.BytesIO()
    image.save(kept, kind, **how)
    return kept.getvalue()


def plain(colour: str = "red") -> Image.Image:
    return Image.new("RGB", (40, 30), colour)


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_gives_its_pixels_once(kind):
    (found,) = decoded(saved(plain(), kind), 10_000)
    assert found.pixels.shape == (30, 40, 3)
    assert found.shrunk == 1.0


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"<svg onload=x>", saved(plain(), "BMP"), saved(plain(), "PNG")[:60]])
def test_what_is_no_whole_picture_of_a_known_format_is_an_error(data):
    with pytest.raises(BadArtifact):
        list(decoded(data, 10_000))


def test_a_bomb_is_refused_by_its_size_before_it_is_decoded():
    data = saved(Image.new("1", (12_000, 12_000)), "PNG")
    assert len(data) < 30_000
    with pytest.raises(BadArtifact, match="12000 x 12000"):
        list(decoded(data, 40_000_000))


def test_a_large_picture_is_shrunk_and_says_by_how_much():
    (found,) = decoded(saved(Image.new("L", (5000, 2000)), "PNG"), 40_000_000)
    assert found.pixels.shape[0] * found.pixels.shape[1] <= MOST_PIXELS * 1.01
    assert found.shrunk == pytest.approx(5000 / found.pixels.shape[1])


def test_transparent_ink_shows_on_white_on_black_or_bare():
    ghost = np.zeros((10, 10, 4), np.uint8)
    ghost[2:4, :, 3] = 255
    ghost[6:8, :, :3] = 255
    shown = [one.pixels[:, 0, 0].tolist() for one in decoded(saved(Image.fromarray(ghost), "PNG"), 10_000)]
    assert [255 if row not in (2, 3) else 0 for row in range(10)] in shown
    assert [255 if row in (6, 7) else 0 for row in range(10)] in shown


def test_the_first_frames_that_differ_are_each_looked_at():
    frames = [plain(colour) for colour in ("red", "blue", "green", "white", "black", "yellow")]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert len(list(decoded(data, 10_000))) == FRAMES


def test_sixteen_bits_keep_their_contrast():
    deep = np.zeros((10, 10), np.uint16)
    deep[5:] = 40_000
    (found,) = decoded(saved(Image.fromarray(deep), "PNG"), 10_000)
    assert int(found.pixels[9, 0, 0]) - int(found.pixels[0, 0, 0]) > 100

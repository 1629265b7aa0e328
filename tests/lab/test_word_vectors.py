"""Word vectors are read from a wheel as bytes; anything else is refused in one line."""

import json
import struct
import zipfile

import numpy as np
import pytest

from bartizan.core.errors import BadArtifact
from bartizan.lab.word_vectors import from_wheel, reduced, with_buckets

TABLE = np.arange(40, dtype=np.float32).reshape(5, 8) ** 0.5


@pytest.fixture
def wheel(tmp_path):
    """Return a wheel of five words."""
    header = {"a.embeddings.word_embeddings.weight": {"dtype": "F32", "shape": [5, 8], "data_offsets": [0, 160]}}
    raw = json.dumps(header).encode()
    path = tmp_path / "x.whl"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("m/model.safetensors", struct.pack("<Q", len(raw)) + raw + TABLE.tobytes())
        file.writestr("m/vocab.txt", "a\nb\nc\n[CLS]\n[SEP]")
    return path


def test_rows_follow_the_pieces(wheel):
    """The order of our vocabulary, not of the file's."""
    np.testing.assert_allclose(from_wheel(wheel, ["c", "a", "b"], 2), reduced(TABLE[[2, 0, 1]], 2), rtol=1e-5)


@pytest.mark.parametrize("pieces", [["zebra"], ["a", ""]])
def test_a_piece_that_is_not_there_is_refused(wheel, pieces):
    """Silence would train on noise."""
    with pytest.raises(BadArtifact, match="every word piece"):
        from_wheel(wheel, pieces, 2)


def test_reduction_keeps_what_varies():
    """One direction holds everything, so one number is enough."""
    line = np.outer(np.linspace(-1, 1, 50), np.ones(8)).astype(np.float32)
    small = reduced(line, 1)[:, 0]
    assert abs(np.corrcoef(small, line[:, 0])[0, 1]) > 0.999


def test_buckets_surround_the_vectors():
    """Special tokens before, hashed ones behind."""
    table = with_buckets(np.ones((2, 4), np.float32), 3, 9, seed=1)
    assert table.shape == (9, 4)
    assert (table[3:5] == 1).all()
    assert abs(table[[0, 1, 2, 5, 6]]).max() < 1

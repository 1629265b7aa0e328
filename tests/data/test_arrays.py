"""Arrays of the same length are rows side by side; pickles are never read."""

import numpy as np
import pytest

from bartizan.core.errors import BadArtifact
from bartizan.data import arrays
from bartizan.data.arrays import array_batches, array_tables


def test_rows_of_arrays_are_read_in_pieces(tmp_path, monkeypatch):
    """Two tables, digests independent of the size of the pieces, one changed value changes one row."""
    path = tmp_path / "a.npz"
    x, y = np.arange(300 * 4).reshape(300, 4), np.arange(300) % 3
    np.savez(path, x=x, y=y, z=np.zeros(7))
    tables = array_tables(path, "a")
    assert tables == {"a[x+y]": ["x.npy", "y.npy"], "a[z]": ["z.npy"]}

    def digests(file):
        return b"".join(one.digests for one in array_batches(file, "a", "a[x+y]", ["x.npy", "y.npy"], 0))

    whole = digests(path)
    monkeypatch.setattr(arrays, "BATCH_BYTES", 400)
    assert digests(path) == whole
    x[17, 2] += 1
    np.savez(tmp_path / "b.npz", x=x, y=y)
    now = digests(tmp_path / "b.npz")
    assert [at for at in range(300) if now[at * 16 : at * 16 + 16] != whole[at * 16 : at * 16 + 16]] == [17]


def test_the_frame_describes_pictures_by_mean_and_deviation(tmp_path):
    """Plain columns stay as they are."""
    np.savez(tmp_path / "a.npz", x=np.ones((3, 2, 2)), y=np.array([1, 2, 3]))
    (batch,) = array_batches(tmp_path / "a.npz", "a", "t", ["x.npy", "y.npy"], 0)
    assert batch.frame["x.mean"].to_list() == [1.0] * 3
    assert batch.frame["y"].to_list() == [1, 2, 3]


def test_objects_and_damage_are_refused(tmp_path):
    """What only unpickling could read is never read."""
    np.savez(tmp_path / "o.npz", x=np.array([{}, {}], dtype=object))
    with pytest.raises(BadArtifact, match="unpickling"):
        array_tables(tmp_path / "o.npz", "o")
    (tmp_path / "no.npz").write_bytes(b"PK no")
    with pytest.raises(BadArtifact, match="not an npz"):
        array_tables(tmp_path / "no.npz", "no")

"""Labelled data is read as data: no pickle, no guess about labels, bytes scaled."""

import gzip

import numpy as np
import pytest

from bartizan.core.errors import BadArtifact, BadSettings
from bartizan.lab.labelled import Labelled, column_names, load


def idx(path, values):
    """Write an array of bytes in the IDX format."""
    values = np.asarray(values, dtype=np.uint8)
    head = bytes([0, 0, 8, values.ndim]) + b"".join(size.to_bytes(4, "big") for size in values.shape)
    path.write_bytes(gzip.compress(head + values.tobytes()))


def test_the_three_formats_give_the_same_examples(tmp_path):
    """Bytes are scaled to the range, numbers are kept."""
    x, y = np.array([[0, 255], [51, 102]], dtype=np.uint8), np.array([1, 0])
    np.savez(tmp_path / "d.npz", x=x, y=y)
    np.savez(tmp_path / "t.npz", x_test=x / 255, y_test=y)
    (tmp_path / "d.csv").write_text("a,b,class\n0,1,1\n0.2,0.4,0\n")
    idx(tmp_path / "t10k-images-idx3-ubyte.gz", x.reshape(2, 1, 2))
    idx(tmp_path / "t10k-labels-idx1-ubyte.gz", y)
    for name in ("d.npz", "t.npz", "d.csv", "t10k-images-idx3-ubyte.gz"):
        found = load(tmp_path / name).shaped((2,))
        assert np.allclose(found.x, [[0, 1], [0.2, 0.4]]), name
        assert found.y.tolist() == [1, 0]
    assert load(tmp_path / "d.npz", -1, 1).x.min() == -1


def test_what_is_no_labelled_data_is_refused(tmp_path):
    """Pickled arrays, labels that are words or fractions, lengths that differ, a truncated file, another ending."""
    cases = {
        "pickled.npz": {"x": np.array([object()]), "y": np.array([0])},
        "words.npz": {"x": np.zeros((1, 2)), "y": np.array(["a"])},
        "fractions.npz": {"x": np.zeros((1, 2)), "y": np.array([0.5])},
        "negative.npz": {"x": np.zeros((1, 2)), "y": np.array([-1])},
        "lengths.npz": {"x": np.zeros((2, 2)), "y": np.array([0])},
        "names.npz": {"a": np.zeros(1)},
    }
    for name, arrays in cases.items():
        np.savez(tmp_path / name, **arrays)
        with pytest.raises(BadArtifact):
            load(tmp_path / name)
    (tmp_path / "x-images-idx3-ubyte.gz").write_bytes(gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 9, 1])))
    (tmp_path / "d.csv").write_text("1,2,x\n3,4,y\n")
    (tmp_path / "d.txt").write_text("1,2\n")
    for name in ("x-images-idx3-ubyte.gz", "d.csv", "d.txt", "none.npz"):
        with pytest.raises(BadArtifact):
            load(tmp_path / name)


def test_shapes_and_parts():
    """Reshaping needs as many values; parts and shuffles keep rows together."""
    data = Labelled(np.arange(12, dtype=np.float32).reshape(6, 2), np.arange(6))
    assert data.shaped((1, 2)).x.shape == (6, 1, 2)
    with pytest.raises(BadSettings, match="cannot be read"):
        data.shaped((3,))
    mixed = data.shuffled(1)
    assert (mixed.x[:, 0] == 2 * mixed.y).all()
    assert data.part(2, 4).y.tolist() == [2, 3]
    assert len(data.first(5)) == 5


def test_columns_are_called_what_the_file_calls_them(tmp_path):
    """A header without its class, an npz's own list, else numbers; a list of another length is refused."""
    (tmp_path / "d.csv").write_text('\ufeffage,"a, b",class\n0,1,1\n')
    (tmp_path / "bare.csv").write_text("0,1,1\n")
    np.savez(tmp_path / "d.npz", x=np.zeros((1, 2)), y=[0], columns=["age", "a, b"])
    np.savez(tmp_path / "bare.npz", x=np.zeros((1, 2)), y=[0])
    for name in ("d.csv", "d.npz"):
        assert column_names(tmp_path / name, 2) == ["age", "a, b"]
    for name in ("bare.csv", "bare.npz"):
        assert column_names(tmp_path / name, 2) == ["column 0", "column 1"]
    with pytest.raises(BadArtifact, match="2 names for 3 columns"):
        column_names(tmp_path / "d.npz", 3)


def test_a_file_that_is_cut_short_or_holds_no_number_is_refused_with_its_name(tmp_path):
    """A download that broke off is the usual case."""
    whole, cut, gap = tmp_path / "a.npz", tmp_path / "cut.npz", tmp_path / "gap.npz"
    np.savez(whole, x=np.ones((90, 4)), y=np.zeros(90, int))
    cut.write_bytes(whole.read_bytes()[:600])
    np.savez(gap, x=np.array([[1.0, np.nan], [np.inf, 2.0]]), y=np.zeros(2, int))
    with pytest.raises(BadArtifact, match=r"cut\.npz cannot be read"):
        load(cut)
    with pytest.raises(BadArtifact, match=r"gap\.npz: 2 values that are NaN or infinite"):
        load(gap)


def test_of_a_file_with_two_parts_the_one_for_training_trains(tmp_path):
    """Keras' names and the short ones; a file that holds one part gives that."""
    path = tmp_path / "digits.npz"
    for train, test in (("train", "test"), ("tr", "te")):
        join = "_" if train == "train" else ""
        parts = {
            f"{name}{join}{part}": np.zeros((size, 1), int) for part, size in ((train, 3), (test, 2)) for name in "xy"
        }
        np.savez(path, **parts)
        assert (len(load(path)), len(load(path, training=True))) == (2, 3)
        np.savez(path, **{name: rows for name, rows in parts.items() if name.endswith(test)})
        assert len(load(path, training=True)) == 2

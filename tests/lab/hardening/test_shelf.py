"""Finished pieces are made once, and never taken for others."""

import numpy as np

from bartizan.lab.hardening.shelf import Shelf, digest


def test_a_piece_is_made_once_and_again_when_its_file_is_broken(tmp_path):
    """Without a folder every time."""
    made = []

    def make():
        made.append(1)
        return {"a": np.arange(3), "words": np.array(["x", "ß"])}

    for _ in range(2):
        found = Shelf(tmp_path / "new").arrays("piece", (1, np.zeros(2)), make)
        assert (found["a"].tolist(), found["words"].tolist(), len(made)) == ([0, 1, 2], ["x", "ß"], 1)
    (path,) = (tmp_path / "new").iterdir()
    path.write_bytes(path.read_bytes()[:40])
    Shelf(tmp_path / "new").arrays("piece", (1, np.zeros(2)), make)
    Shelf().arrays("piece", (1, np.zeros(2)), make)
    assert len(made) == 3


def test_whatever_decides_is_in_the_name():
    """Values, types, shapes and order."""
    some = [
        (1, "2"),
        ("1", "2"),
        ("12",),
        (np.zeros(2),),
        (np.zeros((1, 2)),),
        (np.zeros(2, np.float32),),
        (np.ones(2),),
    ]
    assert len({digest(*one) for one in some}) == len(some)

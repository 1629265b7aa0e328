"""Held rows are shown as pictures, and released or rejected from the terminal."""

import json
import re

import numpy as np
import pytest
from sklearn.datasets import load_digits

from bartizan.cli.data_review import half_blocks
from bartizan.cli.main import main
from bartizan.lab.poisoning.pictures import Blended


@pytest.fixture
def held(tmp_path, monkeypatch, capsys):
    """A working folder in which a poisoned set was held; returns how many rows are flagged.

    All 36 that were planted, and of the honest ones the few whose label is doubted (at most 1 %).
    """
    monkeypatch.chdir(tmp_path)
    digits = load_digits()
    pictures = (digits.images * 15.9).astype(np.uint8)[..., None]
    planted = Blended().poison(pictures, digits.target.astype(np.int64), 0.02, 4, np.random.default_rng(0))
    np.savez(tmp_path / "d.npz", x=planted.pictures, y=planted.labels)
    assert main(["data", "admit", "d.npz", "--source", "crowd", "--label", "y"]) == 1
    flagged = int(re.search(r"HELD d v1: (\d+) of 1797 rows are flagged", capsys.readouterr().out)[1])
    assert 36 <= flagged <= 36 + 18
    return flagged


def test_review_shows_rows_and_release_needs_two(held, capsys):
    """Exit 1 until the second person agrees."""
    assert main(["data", "review"]) == 0
    assert "share a pattern" in capsys.readouterr().out
    assert main(["data", "review", "d", "--rows", "2"]) == 0
    assert capsys.readouterr().out.count("\x1b[0m\n") == 2 * 4
    assert main(["data", "review", "d", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["people"] == 2
    release = ["data", "release", "d", "--why", "looked", "--without-flagged", "--who"]
    assert main([*release, "ann"]) == 1
    assert main([*release, "bob"]) == 0
    assert f"released d v1: {1797 - held} rows" in capsys.readouterr().out


def test_reject_leaves_nothing(held, capsys):
    """And says so."""
    assert main(["data", "reject", "d", "--who", "ann", "--why", "poisoned"]) == 0
    assert main(["data", "release", "d", "--who", "ann", "--why", "x"]) == 2
    assert "nothing waits" in capsys.readouterr().err


def test_a_picture_is_two_pixels_a_character():
    """An odd last line is black below."""
    text = half_blocks(np.full((3, 2, 1), 200, np.uint8))
    assert text.count("▀") == 4
    assert "48;2;0;0;0" in text

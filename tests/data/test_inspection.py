"""What fits a check is checked; what does not is said to be unchecked."""

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from bartizan.data.inspection import inspect
from bartizan.lab.poisoning.pictures import Blended

DIGITS = load_digits()


def test_planted_rows_of_an_npz_are_named(place):
    """With the table and the number in it."""
    pictures = (DIGITS.images * 15.9).astype(np.uint8)[..., None]
    planted = Blended().poison(pictures, DIGITS.target.astype(np.int64), 0.02, 4, np.random.default_rng(0))
    np.savez(place.root / "d.npz", x=planted.pictures, y=planted.labels)
    found = inspect(place.admit(place.root / "d.npz", label="y").manifest)
    assert {one.row for one in found.rows} == set(np.flatnonzero(planted.poison))
    assert found.rows[0].table == "d.npz[x+y]"
    assert found.alarms
    assert "needs uint8 pictures" in inspect(place.admit(place.root / "d.npz", "other").manifest).unchecked[0]


def test_other_rows_are_said_to_be_unchecked(place):
    """Texts, and pictures of two sizes."""
    (place.root / "a.jsonl").write_text('{"x": 1}\n')
    assert "no check" in inspect(place.admit(place.root / "a.jsonl").manifest).unchecked[0]
    for size in (4, 5):
        (place.root / "in/a").mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((size, size), np.uint8)).save(place.root / f"in/a/{size}.png")
    assert "2 sizes" in inspect(place.admit(place.root / "in", "pictures").manifest).unchecked[0]

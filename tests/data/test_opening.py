"""A training job gets admitted rows or an error, never a changed row."""

import numpy as np
import pytest
from PIL import Image

from bartizan.core.errors import BadEvidence
from bartizan.core.sections.data import Data
from bartizan.data import open_admitted


@pytest.fixture
def section(place):
    """Settings that point at the store."""
    return Data(store=str(place.root / "store"), key_file=str(place.root / "keys/data.key"))


def test_rows_come_back_as_they_were(place, section):
    """As a frame, in batches, as arrays."""
    (place.root / "a.csv").write_text("x,label\n1,a\n2,b\n")
    place.admit(place.root / "a.csv", label="label")
    found = open_admitted("set", settings=section)
    assert found.frame().to_dicts() == [{"x": 1.0, "label": "a"}, {"x": 2.0, "label": "b"}]
    assert found.arrays()["x"].tolist() == [1.0, 2.0]
    assert found.head.rows == 2


def test_one_changed_byte_stops_the_job(place, section):
    """The error names the row."""
    (place.root / "a.jsonl").write_text('{"x": 1}\n{"x": 2}\n')
    found = place.admit(place.root / "a.jsonl").manifest
    (found.folder / "data/a.jsonl").write_text('{"x": 1}\n{"x": 3}\n')
    with pytest.raises(BadEvidence, match=r"a.jsonl row 2: changed"):
        open_admitted("set", settings=section)


def test_pictures_and_arrays_are_ready_for_torch(place, section):
    """Pixels and class numbers."""
    for label in "ab":
        (place.root / f"in/{label}").mkdir(parents=True)
        Image.fromarray(np.full((4, 4), ord(label), np.uint8)).save(place.root / f"in/{label}/0.png")
    place.admit(place.root / "in", "pictures")
    arrays = open_admitted("pictures", settings=section).arrays()
    assert arrays["images"].shape == (2, 4, 4, 1)
    assert arrays["labels"].tolist() == [0, 1]
    np.savez(place.root / "n.npz", x=np.eye(3), y=np.arange(3))
    place.admit(place.root / "n.npz", "arrays")
    assert open_admitted("arrays", settings=section).arrays()["y"].tolist() == [0, 1, 2]


def test_another_key_is_not_trusted(place, section):
    """A job may bring the key it trusts."""
    (place.root / "a.jsonl").write_text('{"x": 1}\n')
    place.admit(place.root / "a.jsonl")
    other = "test/data+00000000+AA=="
    with pytest.raises(BadEvidence):
        open_admitted("set", settings=section, key=other)

"""The corpus: unique names, the same bytes every time, many kinds."""

import time

from bartizan.lab.hostile_artefacts import GADGETS, SHAPES, benign, hostile


def test_names_are_unique_and_the_bytes_repeat(monkeypatch):
    """A report names a sample; it must mean one file, also when the corpus is made on another day."""
    for make in (hostile, benign):
        monkeypatch.undo()
        first = list(make())
        assert len({one.name for one in first}) == len(first)
        monkeypatch.setattr(time, "time", lambda: 1_000_000_000.0)
        assert [one.data for one in first] == [one.data for one in make()]


def test_every_gadget_and_every_shape_is_in_it():
    """And enough of each to claim something."""
    names = " ".join(one.name for one in hostile())
    assert all(f"{module}.{name}" in names for module, name, _ in GADGETS)
    assert all(f"shape-{shape}-" in names for shape, _ in SHAPES)
    assert sum(1 for _ in benign()) >= 70

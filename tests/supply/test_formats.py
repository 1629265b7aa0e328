"""Formats by their marks: no two of them claim the same beginning."""

import pytest

from bartizan.lab.hostile_artefacts import benign, hostile
from bartizan.supply.formats import FORMATS, format_of


@pytest.mark.parametrize("sample", [*benign(), *hostile()], ids=lambda one: one.name)
def test_at_most_one_format_matches(sample):
    """And the first is the one that is used."""
    matching = [one for one in FORMATS if one.matches(memoryview(sample.data))]
    assert len(matching) <= 1
    assert format_of(memoryview(sample.data)) is (matching[0] if matching else None)


def test_names_of_formats_are_unique():
    """A result names one of them."""
    assert len({one.name for one in FORMATS}) == len(FORMATS)
    assert format_of(memoryview(b"")) is None

"""Personal data by shape and checksum."""

import pytest
from tests.gateway.samples import PERSONAL, PROSE

from bartizan.gateway.output.personal import PersonalData


@pytest.mark.parametrize("item", PERSONAL)
def test_what_a_checksum_confirms_is_found(item):
    """Exactly its characters."""
    text = f"it is {item}, thanks"
    [hit] = PersonalData().look(text, final=True).hits
    assert text[hit.start : hit.end] == item


@pytest.mark.parametrize("item", PERSONAL)
def test_no_beginning_is_released(item):
    """For every beginning of the text, the hold is at or before the item's start."""
    text = f"it is {item}"
    for end in range(7, len(text) + 1):
        assert PersonalData().look(text[:end], final=False).hold <= 6


@pytest.mark.parametrize(
    "text",
    ["4111 1111 1111 1112", "1111 1111 1111 1111", "DE89 3704 0044 0532 0130 01", "000-12-3456", "v1.2.3-4", *PROSE],
)
def test_wrong_checksums_and_prose_pass(text):
    """Order numbers, times and versions are no personal data."""
    assert PersonalData().look(text, final=True).hits == []


def test_kinds_are_chosen():
    """E-mail addresses only when asked for."""
    text = "write to jo.doe+x@mail.example.org now"
    assert PersonalData().look(text, final=True).hits == []
    [hit] = PersonalData(["email"]).look(text, final=True).hits
    assert text[hit.start : hit.end] == "jo.doe+x@mail.example.org"

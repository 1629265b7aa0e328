"""The page for flagged texts: what waits comes first, a label is one click, nothing is shown while it is off."""

import contextlib

import pytest

from bartizan.cli.panels.flagged import FlaggedPrompts
from bartizan.core.clock import StoppedClock
from bartizan.core.errors import BadRequest
from bartizan.core.sections import Settings
from bartizan.core.sections.flagged import Flagged
from bartizan.dashboard.people import Role
from bartizan.ledger.flagged import FlaggedTexts, Seen


@pytest.fixture
def panel(tmp_path):
    """A page over two texts."""
    settings = Settings(flagged=Flagged(file=str(tmp_path / "f")))
    with contextlib.closing(FlaggedTexts(settings.flagged, StoppedClock())) as texts:
        texts.add(
            [Seen("line one\nline two", "web", "injection", 0.91, "block"), Seen("x" * 200, "user", "r", None, "block")]
        )
    return FlaggedPrompts(settings, StoppedClock())


def test_what_waits_is_shown_first_and_a_label_moves_it_down(panel):
    """With who labelled it."""
    first = next(item for item in panel.items() if item.cells[0] == "line one line two")
    assert (first.tone, first.cells[3], first.cells[5]) == ("warn", "0.91", "waits")
    assert "labelled: attack" in panel.act("attack", first.id, "rex", {"why": "read it"})
    last = panel.items()[-1]
    assert (last.id, last.tone, last.cells[5]) == (first.id, "", "attack")
    text, about = panel.detail(first.id)
    assert text.text == "line one\nline two"
    assert ("who could have chosen it", "web") in about.rows
    assert any(row[0] == "label" and "attack, by rex" in row[1] for row in about.rows)


def test_a_long_text_is_shortened_in_the_list_only(panel):
    """And a score that no detector gave is empty."""
    item = next(item for item in panel.items() if item.cells[0].startswith("xxx"))
    assert len(item.cells[0]) == 90
    assert item.cells[3] == ""
    assert panel.detail(item.id)[0].text == "x" * 200


def test_what_is_thrown_away_is_gone(panel):
    """Deciding on it again says so."""
    item = panel.items()[0]
    assert panel.act("remove", item.id, "rex", {}) == "thrown away"
    assert item.id not in [one.id for one in panel.items()]
    with pytest.raises(BadRequest):
        panel.act("attack", item.id, "rex", {})


def test_while_it_is_off_the_page_says_how_to_switch_it_on():
    """And holds nothing."""
    panel = FlaggedPrompts(Settings(), StoppedClock())
    assert panel.items() == []
    assert list(panel.detail("x")) == []
    assert "`[flagged] file`" in panel.about
    assert panel.readers is Role.REVIEWER

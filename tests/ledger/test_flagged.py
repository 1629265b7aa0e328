"""Flagged texts: kept once, private, for a while, and gone when thrown away."""

import stat

import pytest

from bartizan.core.clock import StoppedClock
from bartizan.core.errors import BadRequest, UpstreamFailed
from bartizan.core.sections.flagged import Flagged
from bartizan.ledger.flagged import FlaggedTexts, Seen

DAY_S = 86400


def seen(text, score=0.9):
    """Return a flagged text."""
    return Seen(text, "user", "injection", score, "block")


@pytest.fixture
def clock():
    """A clock that stands still."""
    return StoppedClock()


@pytest.fixture
def texts(tmp_path, clock):
    """An empty file that keeps twenty texts."""
    one = FlaggedTexts(Flagged(file=str(tmp_path / "a/flagged.sqlite"), most=20), clock)
    yield one
    one.close()


def test_the_same_text_is_kept_once_and_counted_and_the_most_frequent_comes_first(texts, clock):
    """Also when it comes again much later."""
    texts.add([seen("rare"), seen("often")])
    clock.advance(DAY_S)
    texts.add([seen("often")])
    first, second = texts.waiting()
    assert (first.text, first.seen, second.text, second.seen) == ("often", 2, "rare", 1)
    assert first.last_ns - first.first_ns == DAY_S * 10**9


def test_the_file_is_its_owners_only(tmp_path, texts):
    """It holds what users wrote."""
    assert stat.S_IMODE((tmp_path / "a/flagged.sqlite").stat().st_mode) == 0o600


def test_a_label_says_what_who_and_when_and_may_be_corrected(texts, clock):
    """What has one waits no more."""
    texts.add([seen("one"), seen("two")])
    named = next(one.id for one in texts.waiting() if one.text == "one")
    texts.label(named, "attack", "rex")
    clock.advance(5)
    texts.label(named, "innocent", "rae")
    kept = texts.get(named)
    assert (kept.label, kept.who, kept.labelled_ns) == ("innocent", "rae", clock.wall_ns())
    assert [one.text for one in texts.waiting()] == ["two"]
    assert [one.text for one in texts.labelled()] == ["one"]
    with pytest.raises(BadRequest, match="attack, innocent"):
        texts.label(named, "maybe", "rex")


def test_what_nobody_labelled_is_removed_in_time_and_what_was_labelled_stays(texts, clock):
    """Thirty days."""
    texts.add([seen("old"), seen("labelled")])
    texts.label(next(one.id for one in texts.waiting() if one.text == "labelled"), "attack", "rex")
    clock.advance(31 * DAY_S)
    texts.add([seen("new")])
    assert [one.text for one in texts.waiting()] == ["new"]
    assert [one.text for one in texts.labelled()] == ["labelled"]


def test_no_more_than_the_limit_waits(texts, clock):
    """The oldest goes."""
    for number in range(25):
        texts.add([seen(f"text {number}")])
        clock.advance(1)
    assert sorted(one.text for one in texts.waiting()) == sorted(f"text {number}" for number in range(5, 25))


def test_what_is_thrown_away_is_not_in_the_file_any_more(tmp_path, texts):
    """Overwritten, not only forgotten."""
    texts.add([seen("a text that must go " * 20)])
    (one,) = texts.waiting()
    assert b"a text that must go" in (tmp_path / "a/flagged.sqlite").read_bytes()
    texts.remove(one.id)
    assert b"a text that must go" not in (tmp_path / "a/flagged.sqlite").read_bytes()
    for gone in (lambda: texts.get(one.id), lambda: texts.remove(one.id), lambda: texts.label(one.id, "attack", "x")):
        with pytest.raises(BadRequest, match="not there any more"):
            gone()


def test_a_file_that_is_no_database_is_an_error(tmp_path):
    """With its name."""
    (tmp_path / "f").write_text("no database at all, but long enough to be looked at as one")
    with pytest.raises(UpstreamFailed, match=r"flagged\.file"):
        FlaggedTexts(Flagged(file=str(tmp_path / "f")), StoppedClock())


def test_two_processes_use_the_file(texts, tmp_path, clock):
    """The gateway adds while a person labels."""
    other = FlaggedTexts(Flagged(file=str(tmp_path / "a/flagged.sqlite")), clock)
    texts.add([seen("one")])
    other.label(other.waiting()[0].id, "attack", "rex")
    texts.add([seen("one")])
    assert texts.labelled()[0].seen == 2
    other.close()

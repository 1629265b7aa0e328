"""Pins: what was approved stays usable, what differs waits, and a person approves what was looked at."""

import json

import pytest
from tests.mcp.standing import tool

from bartizan.core.clock import StoppedClock
from bartizan.core.errors import BadArtifact
from bartizan.core.findings import Finding, Severity
from bartizan.mcp.pins import FIRST_USE, Offered, Pins, difference, digest

ADD, OTHER = tool("add"), tool("add", "Does something else.")
BAD = (Finding("tool-poisoning", Severity.HIGH, "gives orders"),)


@pytest.fixture
def pins(tmp_path):
    """An empty lock."""
    return Pins(tmp_path / "lock.json", StoppedClock())


def offer(pins, content, findings=(), *, pin_clean=True):
    """Return how one tool stands."""
    return pins.observe("demo", [Offered(content["name"], content, findings)], pin_clean=pin_clean)[0]


def test_a_clean_tool_is_pinned_at_first_use_and_any_change_waits(pins):
    """The approved one comes back by itself; the changed one never does."""
    assert offer(pins, ADD).state == "pinned"
    assert pins.approved("demo", "add") == ADD
    changed = offer(pins, OTHER)
    assert (changed.state, changed.usable, changed.fresh) == ("changed", False, True)
    assert pins.approved("demo", "add") is None
    assert not offer(pins, OTHER).fresh
    assert offer(pins, ADD).state == "approved"
    assert pins.approved("demo", "add") == ADD


@pytest.mark.parametrize(
    "key", ["description", "inputSchema", "outputSchema", "annotations", "title", "_meta", "icons"]
)
def test_every_part_of_a_tool_is_pinned(pins, key):
    """Name, description, schemas, annotations, and whatever else a client may show."""
    offer(pins, ADD)
    assert offer(pins, {**ADD, key: {"x": 1}}).state == "changed"


def test_a_doubtful_or_unasked_tool_waits(pins):
    """A finding keeps it from being pinned, and so does the setting that asks for everything."""
    assert offer(pins, ADD, BAD).why == "tool-poisoning: gives orders"
    assert offer(pins, tool("b"), pin_clean=False).state == "new"
    assert pins.approved("demo", "b") is None


def test_approval_is_of_what_was_looked_at(pins):
    """A content that took its place since the look is not approved by its name."""
    offer(pins, ADD, BAD)
    with pytest.raises(BadArtifact, match="now"):
        pins.approve("demo", ["add@" + digest(OTHER)[:12]], "ann")
    done = pins.approve("demo", ["add@" + digest(ADD)[:12]], "ann")
    assert [one.sha256 for one in done] == [digest(ADD)]
    assert pins.pins("demo")["add"].approved.by == "ann"
    with pytest.raises(BadArtifact, match="waits"):
        pins.approve("demo", ["add"], "ann")


def test_the_difference_shows_what_a_reader_would_not_see(pins):
    """Invisible letters are spelled out, long texts keep their lines."""
    offer(pins, ADD)
    offer(pins, tool("add", "Line one.\nLine\u200b two."))
    text = "\n".join(difference(pins.pins("demo")["add"]))
    assert '-  "description": "Does what it says."' in text
    assert "+Line⟨U+200B⟩ two." in text


def test_what_a_check_doubts_is_approved_by_name_only(pins):
    """Approving all that waits leaves it waiting."""
    offer(pins, ADD, BAD)
    assert pins.approve("demo", [], "bob") == []
    assert pins.pins("demo")["add"].doubted
    assert [one.name for one in pins.approve("demo", ["add"], "bob")] == ["add"]
    assert not pins.pins("demo")["add"].doubted


def test_two_proxies_share_a_lock_and_see_each_others_approvals(pins, tmp_path):
    """The file is read again when it changed."""
    other = Pins(tmp_path / "lock.json", StoppedClock())
    offer(pins, ADD, BAD)
    assert other.approved("demo", "add") is None
    other.approve("demo", ["add"], "bob")
    assert pins.approved("demo", "add") == ADD
    assert pins.pins("demo")["add"].approved.by != FIRST_USE


def test_a_broken_lock_approves_nothing(pins, tmp_path):
    """It is an error, not an empty lock."""
    (tmp_path / "lock.json").write_text("{", encoding="utf-8")
    with pytest.raises(BadArtifact, match="cannot be read"):
        pins.approved("demo", "add")


def test_a_forgotten_server_begins_anew(pins, tmp_path):
    """Its entry is gone."""
    offer(pins, ADD)
    assert pins.forget("demo")
    assert not pins.forget("demo")
    assert json.loads((tmp_path / "lock.json").read_bytes()) == {"servers": {}}

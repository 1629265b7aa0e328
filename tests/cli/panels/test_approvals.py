"""The page for approvals: what waits comes first, with value and place; two people for what is critical."""

import pytest
from tests.cli.test_approvals import IBAN, question

from bartizan.cli.panels.approvals import Approvals
from bartizan.core import settings
from bartizan.core.clock import StoppedClock
from bartizan.core.errors import BadRequest, Refused
from bartizan.dashboard.decisions import Decisions
from bartizan.dashboard.people import Person
from bartizan.ledger.approvals.queue import Queue
from bartizan.ledger.log import Ledger

ON = '[policy]\ntool_calls = "enforce"\n[approvals]\nmode = "wait"\n'
REX, RAE = (Person(name, "reviewer", "", 0) for name in ("rex", "rae"))


@pytest.fixture
def clock():
    """A clock that stands."""
    return StoppedClock()


@pytest.fixture
def queue(tmp_path, monkeypatch, clock):
    """The queue behind the page."""
    monkeypatch.chdir(tmp_path)
    one = Queue.configured(settings.parse(ON).approvals, clock)
    yield one
    one.close()


@pytest.fixture
def page(queue, clock):
    """The page."""
    return Approvals(settings.parse(ON), clock)


@pytest.fixture
def decisions(clock, queue):
    """What takes the decisions of a page."""
    ledger = Ledger.configured(settings.parse(ON).ledger, clock)
    yield Decisions(ledger, clock)
    ledger.close()


def test_what_waits_comes_first_and_says_value_and_place(page, queue, clock):
    """Then endorsements, then what was answered."""
    for number in (1, 2):
        queue.ask(question(f"q{number}", clock.wall_ns()))
    queue.answer("q1", approve=False, who="rex", why="unknown")
    page.act("endorse", "q2", "rex", {"why": "checked", "hours": "2"})
    waits, yes, answered = page.items()
    assert (waits.id, waits.tone, waits.actions) == ("q2", "warn", ("approve", "deny", "endorse", "trust"))
    assert f"recipient = {IBAN} (read_file(bill.txt) messages[2], line 7)" in waits.cells[1]
    assert (yes.actions, yes.cells[1]) == (("revoke",), IBAN)
    assert (answered.id, answered.actions, answered.cells[-1]) == ("q1", (), "denied by rex: unknown")
    parts = {part.title: part for part in page.detail("q2")}
    assert ("recipient", IBAN, "target", "read_file(bill.txt) messages[2], line 7") in parts["In question"].rows
    assert "⟨U+001B⟩" in str(parts["In question"].rows)
    assert [part.title for part in page.detail(yes.id)] == ["What it lets happen", "Value"]


def test_a_reviewer_approves_endorses_and_revokes(page, queue, clock, decisions):
    """Through the one place where decisions are taken; without a reason nothing happens."""
    queue.ask(question("q1", clock.wall_ns()))
    with pytest.raises(BadRequest, match="reason"):
        decisions.decide(page, "approve", "q1", REX, {"why": " "})
    with pytest.raises(BadRequest, match="hours = 'x'"):
        decisions.decide(page, "trust", "q1", REX, {"why": "w", "hours": "x"})
    decisions.decide(page, "trust", "q1", REX, {"why": "w", "hours": "2"})
    (made,) = queue.endorsements()
    assert (made.document, made.name, made.principal) == ("ab" * 32, "read_file(bill.txt) messages[2]", "agent")
    decisions.decide(page, "revoke", f"yes:{made.id}", REX, {"why": "w"})
    assert queue.endorsements() == []
    decisions.decide(page, "approve", "q1", REX, {"why": "known"})
    assert queue.use("q1")
    with pytest.raises(BadRequest, match="not possible any more"):
        decisions.decide(page, "approve", "q1", RAE, {"why": "known"})


def test_two_people_agree_on_what_is_critical(page, queue, clock, decisions):
    """The first alone changes nothing; whoever asks may not answer."""
    queue.ask(question("q1", clock.wall_ns(), critical=True))
    assert decisions.decide(page, "approve", "q1", REX, {"why": "w"}).waits
    assert not queue.use("q1")
    with pytest.raises(Refused, match="second person"):
        decisions.decide(page, "approve", "q1", REX, {"why": "w"})
    with pytest.raises(Refused, match="asked for it"):
        decisions.decide(page, "approve", "q1", Person("agent", "reviewer", "", 0), {"why": "w"})
    decisions.decide(page, "approve", "q1", RAE, {"why": "w"})
    assert queue.use("q1")


def test_nothing_is_held_while_approvals_are_off(clock):
    """The page says what to set."""
    page = Approvals(settings.parse(""), clock)
    assert page.items() == []
    assert "approvals.mode" in page.about

"""The same promises of the queue of held calls in a SQLite file and in a real PostgreSQL server."""

import threading
import uuid

import pytest
from tests.doubles.servers import postgres_server

from bartizan.core.clock import StoppedClock
from bartizan.core.errors import BadRequest, Refused
from bartizan.ledger.approvals.base import Endorsed, Place, Question
from bartizan.ledger.approvals.postgres import PostgresRows
from bartizan.ledger.approvals.queue import KEPT_S, LONGEST_S, Queue
from bartizan.ledger.approvals.sqlite import SqliteRows

HOUR_NS = 3600 * 10**9
PLACE = Place("recipient", "target", "GB33 BUKB", "read_file(bill.txt) messages[2], line 7", "ab" * 32, "GB33BUKB")


@pytest.fixture
def clock():
    """A clock that stands."""
    return StoppedClock()


@pytest.fixture(params=["sqlite", "postgres"])
def opener(request, tmp_path, clock):
    """Opens the same queue as often as asked: as gateway, dashboard and command line do."""
    space, opened = f"t{uuid.uuid4().hex}", []

    def open_one():
        rows = (
            SqliteRows(tmp_path / "deep" / "q.sqlite")
            if request.param == "sqlite"
            else PostgresRows(postgres_server(), space)
        )
        opened.append(Queue(rows, clock))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


@pytest.fixture
def queue(opener):
    """An empty queue."""
    return opener()


def asked(clock, id_="q1", key="k1", **more):
    """A question about a payment, open for an hour."""
    now = clock.wall_ns()
    given = {"principal": "agent", "tool": "pay", "effect": "pay", "reason": "target-not-anchored", "why": "why\ud83d"}
    given |= {"arguments": '{"to": "Ü \\u0000"}', "places": (PLACE,), **more}
    return Question(id=id_, key=key, at_ns=now, until_ns=now + HOUR_NS, **given)


def yes(clock, id_="e1", **more):
    """An endorsement of a document for an hour."""
    now = clock.wall_ns()
    given = {"effect": "pay", "name": "bill.txt", "document": "ab" * 32, "who": "ann", "why": "seen", **more}
    return Endorsed(id=id_, at_ns=now, until_ns=given.pop("until_ns", now + HOUR_NS), **given)


def test_a_question_is_asked_once_and_reads_back_the_same(queue, clock):
    """The same call again finds the question that is open; another gets its own; the oldest is first."""
    first = asked(clock, why="why")
    assert queue.ask(first)[1]
    held, new = queue.ask(asked(clock, "q2", why="why"))
    assert (held.question, new) == (first, False)
    clock.advance(1)
    assert queue.ask(asked(clock, "q3", "k3", why="why"))[1]
    assert [one.question.id for one in queue.listed()] == ["q1", "q3"]
    assert queue.find("q1").question == first
    with pytest.raises(BadRequest, match="q9"):
        queue.find("q9")


def test_an_approval_is_given_once_and_used_once_whoever_opened_the_queue(queue, opener, clock):
    """Of many that try at the same time one wins; what was used is asked anew."""
    queue.ask(asked(clock, why="w"))
    assert not queue.use("q1")
    held = opener().answer("q1", approve=True, who="rex", why="known supplier")
    assert (held.state, held.who, held.why) == ("approved", "rex", "known supplier")
    with pytest.raises(BadRequest, match="approved by rex"):
        queue.answer("q1", approve=False, who="eve", why="x")
    others, won = [opener() for _ in range(3)], []
    threads = [threading.Thread(target=lambda one=one: won.append(one.use("q1"))) for one in (queue, *others)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False, False, False, True]
    assert queue.find("q1").now(clock.wall_ns()) == "used"
    assert queue.ask(asked(clock, "q2", why="w"))[1]


def test_no_answer_in_time_is_no_answer_and_a_no_stands(queue, clock):
    """An approval that came in time ends too; a denied call is not asked about again while the question lasts."""
    for number in (1, 2, 3):
        queue.ask(asked(clock, f"q{number}", f"k{number}", why="w"))
    queue.answer("q2", approve=True, who="rex", why="w")
    queue.answer("q3", approve=False, who="rex", why="not ours")
    assert queue.ask(asked(clock, "q4", "k3", why="w"))[0].state == "denied"
    clock.advance(3601)
    with pytest.raises(BadRequest, match="it is expired"):
        queue.answer("q1", approve=True, who="rex", why="w")
    assert not queue.use("q2")
    assert queue.listed() == []
    states = {one.question.id: one.now(clock.wall_ns()) for one in queue.listed(everything=True)}
    assert states == {"q1": "expired", "q2": "expired", "q3": "denied"}
    assert queue.ask(asked(clock, "q5", "k3", why="w"))[1]


def test_an_answer_needs_a_name_and_a_reason(queue, clock):
    """Nothing is answered without."""
    queue.ask(asked(clock, why="w"))
    for who, why in (("", "w"), ("rex", " ")):
        with pytest.raises(BadRequest, match="reason"):
            queue.answer("q1", approve=True, who=who, why=why)
    assert queue.find("q1").state == "waiting"


def test_one_caller_cannot_flood_the_people_who_answer(queue, clock):
    """Beyond its share nothing is asked; others still are."""
    for number in range(3):
        queue.ask(asked(clock, f"q{number}", f"k{number}", why="w"), 3)
    with pytest.raises(Refused, match="3 questions"):
        queue.ask(asked(clock, "q9", "k9", why="w"), 3)
    assert queue.ask(asked(clock, "q9", "k9", principal="other", why="w"), 3)[1]


def test_values_are_gone_a_month_after_they_could_be_answered(queue, clock):
    """The next question sweeps."""
    queue.ask(asked(clock, why="w"))
    clock.advance(3600 + KEPT_S + 1)
    queue.ask(asked(clock, "q2", "k2", why="w"))
    with pytest.raises(BadRequest):
        queue.find("q1")


def test_an_endorsement_counts_until_its_end_or_until_it_is_revoked(queue, opener, clock):
    """Also for whoever else has the queue open."""
    queue.endorse(yes(clock))
    queue.endorse(
        yes(clock, "e2", document="", value="98.7", until_ns=clock.wall_ns() + 2 * HOUR_NS, principal="agent")
    )
    assert {one.id for one in opener().endorsements()} == {"e1", "e2"}
    assert queue.endorsement("e2").principal == "agent"
    clock.advance(3601)
    assert [one.id for one in queue.endorsements()] == ["e2"]
    assert opener().revoke("e2").value == "98.7"
    assert queue.endorsements() == []
    with pytest.raises(BadRequest, match="e2"):
        queue.revoke("e2")


def test_an_endorsement_says_of_what_for_how_long_and_why(queue, clock):
    """For ever, of everything, of nothing or by nobody there is none."""
    now = clock.wall_ns()
    for bad in (
        yes(clock, until_ns=now),
        yes(clock, until_ns=now + (LONGEST_S + 1) * 10**9),
        yes(clock, value="x"),
        yes(clock, document=""),
        yes(clock, who=" "),
        yes(clock, why=""),
    ):
        with pytest.raises(BadRequest, match="endorsement"):
            queue.endorse(bad)
    assert queue.endorsements() == []

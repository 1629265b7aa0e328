"""`bartizan approvals` as people run it."""

import json

import pytest

from bartizan.cli.approvals import Terms, endorsements_of
from bartizan.cli.main import main
from bartizan.core import settings
from bartizan.core.clock import SystemClock
from bartizan.core.errors import BadRequest, Refused
from bartizan.ledger.approvals.base import Held, Place, Question
from bartizan.ledger.approvals.queue import Queue
from bartizan.ledger.log import Ledger

IBAN = "GB33BUKB20201555555555"
PLACES = (
    Place("recipient", "target", IBAN, "read_file(bill.txt) messages[2], line 7", "ab" * 32, IBAN),
    Place("note", "label", "\x1b[2Jhi", "", "", ""),
)


def question(id_="q1", now=None, **more):
    """A question that is open for an hour."""
    now = SystemClock().wall_ns() if now is None else now
    given = {"principal": "agent", "tool": "pay", "effect": "pay", "reason": "target-not-anchored", "places": PLACES}
    given |= {"why": f"recipient = {IBAN!r} comes from bill.txt", "arguments": json.dumps({"recipient": IBAN}), **more}
    return Question(id=id_, key=id_, at_ns=now, until_ns=now + 3600 * 10**9, **given)


@pytest.fixture
def queue(tmp_path, monkeypatch):
    """A queue where the defaults look for it."""
    monkeypatch.chdir(tmp_path)
    one = Queue.configured(settings.parse("").approvals, SystemClock())
    yield one
    one.close()


def kinds():
    """What is in the ledger, kind and body."""
    ledger = Ledger.configured(settings.parse("").ledger, SystemClock())
    found = [(one.record.kind, one.body) for one in ledger.entries()]
    ledger.close()
    return found


def test_what_waits_is_listed_and_shown_with_value_and_place(queue, capsys):
    """And what would act on a terminal is written out."""
    assert main(["approvals", "list"]) == 0
    assert "nothing waits" in capsys.readouterr().out
    queue.ask(question())
    assert main(["approvals", "list", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["calls"]
    assert (row["state"], row["question"]["places"][0]["value"]) == ("waiting", IBAN)
    assert main(["approvals", "show", "q1"]) == 0
    shown = capsys.readouterr().out
    assert f"recipient = {IBAN}   target, from read_file(bill.txt) messages[2], line 7" in shown
    assert "found nowhere" in shown
    assert "\x1b" not in shown
    assert main(["approvals", "list"]) == 0
    assert "\x1b[2J" not in capsys.readouterr().out
    assert main(["approvals", "show", "q9"]) == 2


def test_an_answer_is_recorded_with_who_and_why(queue, capsys):
    """One approved, one denied; a second answer is refused and leaves no record."""
    queue.ask(question())
    queue.ask(question("q2"))
    assert main(["approvals", "approve", "q1", "--why", "known supplier", "--who", "rex"]) == 0
    assert main(["approvals", "deny", "q2", "--why", "unknown", "--who", "rex"]) == 0
    assert main(["approvals", "approve", "q2", "--why", "x"]) == 2
    assert "denied by rex" in capsys.readouterr().err
    assert queue.use("q1")
    assert not queue.use("q2")
    assert kinds() == [
        ("approval-answered", {"id": "q1", "answer": "approve", "who": "rex", "why": "known supplier"}),
        ("approval-answered", {"id": "q2", "answer": "deny", "who": "rex", "why": "unknown"}),
    ]
    assert main(["approvals", "list", "--all"]) == 0
    assert "nothing" not in capsys.readouterr().out


def test_what_is_critical_is_not_approved_here(queue, capsys):
    """Two people must agree, in the dashboard; one may deny it, and nobody endorses it for later."""
    queue.ask(question(critical=True))
    assert main(["approvals", "approve", "q1", "--why", "x"]) == 2
    assert "two people" in capsys.readouterr().err
    assert main(["approvals", "endorse", "q1", "--why", "x"]) == 2
    assert kinds() == []
    assert main(["approvals", "deny", "q1", "--why", "x"]) == 0


def test_values_and_documents_are_endorsed_and_revoked(queue, capsys, tmp_path):
    """Of a question for its caller; of a file or a value for whom it is said."""
    queue.ask(question())
    words = ["--why", "checked", "--who", "rex"]
    assert main(["approvals", "endorse", "q1", *words]) == 0
    assert main(["approvals", "endorse", "q1", "--what", "document", "--for", "*", "--hours", "1", *words]) == 0
    (tmp_path / "list.txt").write_text("pay DE89")
    assert main(["approvals", "endorse", "--document", "list.txt", "--effect", "pay", *words]) == 0
    assert main(["approvals", "endorse", "--value", "Bob@X.com", "--effect", "send", "--for", "agent", *words]) == 0
    made = queue.endorsements()
    assert {(one.value, bool(one.document), one.principal, one.effect) for one in made} == {
        (IBAN, False, "agent", "pay"),
        ("", True, "", "pay"),
        ("bob@x.com", False, "agent", "send"),
    }
    assert "for every caller" in capsys.readouterr().out
    assert main(["approvals", "revoke", made[0].id, *words]) == 0
    assert made[0].id not in {one.id for one in queue.endorsements()}
    assert [kind for kind, _ in kinds()] == ["endorsed"] * 4 + ["endorsement-revoked"]
    assert IBAN not in json.dumps(kinds())
    assert main(["approvals", "list", "--all"]) == 0
    assert "all of" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([], "expected one of"),
        (["q1", "--value", "x"], "expected one of"),
        (["--value", "x"], "--effect"),
        (["--document", "none.txt", "--effect", "pay"], "cannot be read"),
        (["--value", "x", "--effect", "pay", "--hours", "9000"], "within a year"),
        (["nothing"], "no held call"),
    ],
)
def test_what_cannot_be_endorsed_says_why(queue, capsys, words, why):
    """And is not in the ledger."""
    assert main(["approvals", "endorse", *words, "--why", "w"]) == 2
    assert why in capsys.readouterr().err
    assert kinds() == []


def test_a_question_without_a_document_has_none_to_endorse():
    """And a critical one has nothing."""
    terms = Terms(1, "", "rex", "w")
    with pytest.raises(BadRequest, match="no document"):
        endorsements_of(Held(question(places=PLACES[1:])), "document", terms, 0)
    with pytest.raises(Refused):
        endorsements_of(Held(question(critical=True)), "value", terms, 0)

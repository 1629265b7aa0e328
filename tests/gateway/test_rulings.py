"""What a ruling on one call comes to."""

from bartizan.core.messages import ToolCall
from bartizan.core.verdicts import Allow, Ask, Block
from bartizan.gateway.rulings import Ruled, Ruling, Rulings, rule

CALL = ToolCall("c", "send", "{}")


def ruled(ruling, *, replaceable=True):
    """What comes of one ruling, and what is to be changed."""
    rulings = Rulings()
    return rule(lambda call: ruling, CALL, "k", rulings, replaceable=replaceable), rulings


def test_an_allowed_call_changes_nothing():
    """No finding either."""
    assert ruled(Ruling(Allow())) == (Ruled(), Rulings())
    assert not ruled(Ruling(Allow()))[1]


def test_a_call_with_other_arguments_is_a_finding_and_goes_on():
    """The arguments wait under the reader's name for the call."""
    found, rulings = ruled(Ruling(Allow("cut"), arguments='{"a": 1}'))
    assert (found.blocked, found.waits, found.finding.rule) == ("", False, "tool-call-rewritten")
    assert rulings.rewritten == {"k": '{"a": 1}'}


def test_a_denied_call_is_replaced_where_that_is_possible():
    """With a text, and if the client is who would carry it out; else the whole answer is refused."""
    found, rulings = ruled(Ruling(Block("no"), "Denied"))
    assert (found.blocked, rulings.denied) == ("", {"k": "Denied"})
    for ruling, replaceable in ((Ruling(Block("no"), "Denied"), False), (Ruling(Block("no")), True)):
        found, rulings = ruled(ruling, replaceable=replaceable)
        assert (found.blocked, rulings.denied) == ("no", {})
        assert found.finding.where == "send"


def test_a_call_that_a_person_is_asked_about_waits():
    """Nothing is decided yet."""
    assert ruled(Ruling(Ask("may it?"))) == (Ruled(waits=True), Rulings())

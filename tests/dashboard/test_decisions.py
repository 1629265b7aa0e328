"""Decisions: who may, with which reason, with whom; recorded before they happen."""

import pytest
from tests.dashboard.houses import House

from bartizan.core.errors import BadRequest, Refused
from bartizan.dashboard.decisions import FIRST_HOLDS_S, Decisions

WHY = {"why": "looked at it"}


@pytest.fixture
def house(tmp_path):
    """One person of each role and a shelf."""
    one = House(tmp_path).with_people()
    yield one
    one.ledger.close()


def decide(house, who, action, item, values=WHY):
    """Decide as `who`."""
    return Decisions(house.ledger, house.clock).decide(house.shelf, action, item, house.people.find(who), values)


def test_a_decision_is_recorded_with_who_and_why_and_then_done(house):
    """In this order."""
    assert decide(house, "ann", "release", "plain").said == "release of plain done"
    body = house.ledger.latest("decision")[0].body
    assert (body["who"], body["why"], body["item"], body["action"]) == ("ann", "looked at it", "plain", "release")


def test_what_then_fails_is_a_record_too(house):
    """Nobody is left to believe that it happened."""
    with pytest.raises(BadRequest, match="does not break"):
        decide(house, "ann", "break", "plain")
    assert house.ledger.latest("decision-failed")[0].body["error"] == "it does not break"


def test_nobody_decides_on_what_they_asked_for(house):
    """`plain` was asked for by rex."""
    with pytest.raises(Refused, match="somebody else"):
        decide(house, "rex", "release", "plain")
    assert house.shelf.done == []


def test_what_is_critical_needs_two_different_people(house):
    """The first waits, the same person again is refused, the second does it."""
    assert decide(house, "rex", "release", "critical").waits
    assert Decisions(house.ledger, house.clock).waiting(house.shelf, house.shelf.items()) == {
        ("critical", "release"): "rex"
    }
    with pytest.raises(Refused, match="second person"):
        decide(house, "rex", "release", "critical")
    assert house.shelf.done == []
    assert not decide(house, "ola", "release", "critical").waits
    assert house.ledger.latest("decision")[0].body["first"] == "rex"
    assert house.shelf.done == [("release", "critical", "ola", "looked at it")]


def test_a_first_agreement_is_used_up_by_the_act_and_ends_after_a_day(house):
    """A thing that waits again needs two people again."""
    decide(house, "rex", "release", "critical")
    decide(house, "ola", "release", "critical")
    house.shelf.things["critical"] = "waits"
    assert decide(house, "ann", "release", "critical").waits
    house.clock.advance(FIRST_HOLDS_S + 1)
    assert decide(house, "rex", "release", "critical").waits


def test_a_thing_that_changed_since_needs_two_people_again(house):
    """The second would agree to something else."""
    decide(house, "rex", "release", "critical")
    items = house.shelf.items
    house.shelf.items = lambda: [
        item.__class__(
            item.id,
            (item.id, "other content"),
            *(getattr(item, name) for name in ("tone", "actions", "critical", "asked_by")),
        )
        for item in items()
    ]
    assert decide(house, "ola", "release", "critical").waits


@pytest.mark.parametrize(
    ("who", "action", "item", "values", "kind"),
    [
        ("vic", "release", "critical", WHY, Refused),
        ("rex", "add", "", {**WHY, "name": "x", "kind": "a"}, Refused),
        ("ann", "release", "critical", {"why": "  "}, BadRequest),
        ("ann", "release", "critical", {}, BadRequest),
        ("ann", "explode", "critical", WHY, BadRequest),
        ("ann", "release", "nothing", WHY, BadRequest),
        ("ann", "add", "", {**WHY, "name": "", "kind": "a"}, BadRequest),
        ("ann", "add", "", {**WHY, "name": "x", "kind": "z"}, BadRequest),
    ],
)
def test_what_may_not_be_or_makes_no_sense_is_refused_and_not_recorded_as_decided(
    house, who, action, item, values, kind
):
    """Too low a role, no reason, no such action, no such thing, a missing or odd value."""
    with pytest.raises(kind):
        decide(house, who, action, item, values)
    assert house.ledger.latest("decision") == []
    assert house.shelf.done == []


def test_what_was_typed_is_not_in_the_record(house):
    """A field may be a password."""
    decide(house, "ann", "add", "", {**WHY, "name": "a secret value", "kind": "a"})
    assert "a secret value" not in str(house.ledger.entries(0, 100))

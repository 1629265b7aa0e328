"""The first page's values: from an empty log, erased records, unfinished assessments, canaries, and a broken seal."""

import pytest
from tests.dashboard.houses import House

from bartizan.dashboard.overview import overview


@pytest.fixture
def house(tmp_path):
    """An empty log."""
    one = House(tmp_path)
    yield one
    one.ledger.close()


def seen(house):
    """Return the overview now."""
    return overview(house.ledger, house.clock.wall_ns())


def test_an_empty_log_is_no_error(house):
    """Nothing seen, nothing proved."""
    found = seen(house)
    assert (found.requests, found.stopped, found.assessed, found.canaries, found.proof.records) == (0, (), None, (), 0)


def test_only_the_last_hour_counts_and_the_worst_caller_comes_first(house):
    """Stopped, spent and passed with a finding, each on its own."""
    house.ledger.append("exchange", {"verdict": "block", "caller": "old", "charged": 5})
    house.clock.advance(3601)
    for caller, verdict, charged in (("a", "block", None), ("b", "block", 7), ("b", "redact", 1), ("c", "allow", 9)):
        finding = {"findings": [{"rule": "x"}]} if caller == "c" else {}
        house.ledger.append("exchange", {"verdict": verdict, "caller": caller, "charged": charged, "input": finding})
    found = seen(house)
    assert (found.requests, found.stopped_count) == (4, 3)
    assert found.attackers[0] == ("b", 2)
    assert (found.spent, found.spenders) == (17, (("c", 9), ("b", 8)))
    assert [one.caller for one in found.passed] == ["c"]
    assert len(found.recent) == 5


def test_an_erased_exchange_is_shown_as_erased(house):
    """Not as allowed, and not as an attack."""
    house.ledger.append("exchange", {"verdict": "allow"})
    house.ledger.erase(0, "x")
    found = seen(house)
    assert found.recent[0].verdict == "erased"
    assert found.stopped_count == 0


def test_only_an_assessment_that_ended_counts_and_only_its_own_rows(house):
    """A run that was killed half way proves nothing."""
    house.ledger.append("assessment-started", {"model": "first"})
    house.ledger.append("row", {"threat": "T02", "state": "holds"})
    house.ledger.append("row", {"threat": "T01", "state": "failed", "off": "62%", "on": "7%"})
    assert seen(house).assessed is None
    house.ledger.append("assessment-ended", {})
    house.ledger.append("assessment-started", {"model": "second"})
    house.ledger.append("row", {"threat": "T01", "state": "holds"})
    assessed = seen(house).assessed
    assert (assessed.model, [row.state for row in assessed.rows]) == ("first", ["failed", "holds"])
    assert (assessed.rows[0].off, assessed.rows[0].on) == ("62%", "7%")


def test_a_canary_that_was_not_stopped_comes_first_and_one_that_is_overdue_is_late(house):
    """Only the last of each control counts."""
    for control, stopped in (("output.leak", False), ("output.leak", True), ("gateway.input_screen", False)):
        house.ledger.append("canary", {"control": control, "stopped": stopped, "period_s": 60})
    found = seen(house).canaries
    assert [(one.control, one.stopped, one.late) for one in found] == [
        ("gateway.input_screen", False, False),
        ("output.leak", True, False),
    ]
    house.clock.advance(91)
    assert all(one.late for one in seen(house).canaries)


def test_the_proof_says_how_far_it_reaches(house):
    """Records after the checkpoint are not sealed; a forged checkpoint is said."""
    house.ledger.append("exchange", {})
    house.ledger.checkpoint()
    house.ledger.append("verified", {"intact": True})
    proof = seen(house).proof
    assert (proof.records, proof.sealed, proof.problem) == (2, 1, "")
    assert proof.verified.startswith("intact")
    notes = house.ledger.checkpoint_file
    notes.write_text(notes.read_text().replace("t\n1\n", "t\n2\n"))
    assert "does not hold" in seen(house).proof.problem

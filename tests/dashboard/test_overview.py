"""The overview: from an empty log, from erased records, from an assessment that has not ended."""

import pytest

from bartizan.core.clock import StoppedClock
from bartizan.dashboard.overview import overview
from bartizan.ledger.log import Ledger


@pytest.fixture
def ledger(tmp_path):
    """An empty log."""
    one = Ledger.open(tmp_path / "log", origin="t", clock=StoppedClock(), checkpoint_file=tmp_path / "c.txt")
    yield one
    one.close()


def test_an_empty_log_is_no_error(ledger):
    """Nothing seen, nothing proved."""
    seen = overview(ledger)
    assert (seen.records, seen.verdicts, seen.assessed) == (0, (), None)


def test_an_erased_exchange_is_shown_as_erased(ledger):
    """Not as allowed."""
    ledger.append("exchange", {"verdict": "allow"})
    ledger.erase(0, "x")
    assert overview(ledger).verdicts == (("erased", 1),)


def test_only_an_assessment_that_ended_counts_and_only_its_own_rows(ledger):
    """A run that was killed half way proves nothing."""
    ledger.append("assessment-started", {"model": "first"})
    ledger.append("row", {"threat": "T01", "state": "holds"})
    assert overview(ledger).assessed is None
    ledger.append("assessment-ended", {})
    ledger.append("assessment-started", {"model": "second"})
    ledger.append("row", {"threat": "T01", "state": "failed"})
    assessed = overview(ledger).assessed
    assert (assessed.model, [row.state for row in assessed.rows]) == ("first", ["holds"])

"""One assessment end to end on a small weak server: rows, ledger, checkpoint, and a target that dies half way."""

from pathlib import Path

import pytest
from tests.threats.servers import weak_model
from tests.threats.test_stage import configured

from bartizan.core.clock import SystemClock
from bartizan.ledger.log import Ledger
from bartizan.ledger.verify import verify
from bartizan.threats import THREATS
from bartizan.threats.assess import assess
from bartizan.threats.base import State


def run(folder, url, threats, **more):
    """Assess `url`; return the result, what progress said, and all records."""
    plan = configured(folder, target=url, **more)
    kept = plan.ledger
    notes = Path(kept.checkpoint_file)
    ledger = Ledger.open(Path(kept.directory), origin=kept.origin, clock=SystemClock(), checkpoint_file=notes)
    heard = []
    done = assess(plan, threats, ledger, SystemClock(), lambda *said: heard.append(said))
    entries = ledger.entries(0, 100_000)
    ledger.close()
    return done, heard, entries


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One finished run over all ten."""
    folder = tmp_path_factory.mktemp("assess")
    with weak_model() as (url, seen):
        return folder, *run(folder, url, THREATS, max_requests=500), len(seen)


def test_the_weak_server_loses_without_and_keeps_its_secrets_with_the_gateway(finished):
    """Off above on, nine rows without a claim, exit code by the claims."""
    _, done, _, _, seen = finished
    row = done.rows[0]
    assert row.state is State.HOLDS, row.why
    assert row.evidence.off.value > row.evidence.on.value
    assert row.evidence.families["system-prompt theft"][1].value == 0
    assert {one.state for one in done.rows[1:]} <= {State.NO_CLAIM, State.HOLDS}
    assert done.exit_code() == 0
    assert seen <= done.requests <= 500


def test_progress_is_told(finished):
    """Which threat, what of it, how far."""
    assert ("T01 Prompt injection: benign requests", 40, 40) in finished[2]


def test_every_attempt_and_every_exchange_is_in_the_ledger_and_it_verifies(finished):
    """The assessment and the gateway wrote to one log, the checkpoint seals it, and every receipt is in it."""
    folder, done, _, entries, _ = finished
    kinds = {entry.record.kind for entry in entries}
    assert {"assessment-started", "attempt", "row", "assessment-ended"} < kinds
    result = verify(folder / "ledger", folder / "c.txt")
    assert result.intact, result.problems
    assert result.sealed == result.records == done.sealed.last_seq + 1
    receipts = {entry.body.get("receipt", "") for entry in entries if entry.record.kind == "attempt"} - {""}
    assert receipts
    assert receipts <= {f"{entry.record.seq}:{entry.leaf_hash.hex()}" for entry in entries}


def test_a_target_that_dies_half_way_is_untested(tmp_path):
    """Nothing is claimed from what could not be asked."""
    with weak_model(fail_after=20) as (url, _):
        done, _, _ = run(tmp_path, url, THREATS[:1])
    assert done.rows[0].state is State.UNTESTED
    assert done.exit_code() == 2


def test_too_few_requests_are_untested_not_safe(tmp_path):
    """A limit of ten proves nothing, and is not exceeded."""
    with weak_model() as (url, seen):
        done, _, _ = run(tmp_path, url, THREATS[:1], max_requests=10)
    assert done.exit_code() == 2
    assert len(seen) <= 10

"""One assessment end to end on a small weak server: rows, ledger, checkpoint, and a target that dies half way."""

from pathlib import Path

import pytest
from tests.threats.servers import weak_model
from tests.threats.test_stage import configured

from bartizan.core.clock import SystemClock
from bartizan.core.sections.ledger import Ledger as Section
from bartizan.ledger.log import Ledger
from bartizan.ledger.verify import verify
from bartizan.threats.assess import assess
from bartizan.threats.base import Row, State
from bartizan.threats.resume import NAME, Partial, fingerprint
from bartizan.threats.t01_prompt_injection import T01
from bartizan.threats.t09_supply_chain import T09


def run(folder, url, threats, resume=False, **more):
    """Assess `url`; return the result, what progress said, and all records."""
    plan = configured(folder, target=url, output=str(folder), **more)
    kept = plan.ledger
    notes = Path(kept.checkpoint_file)
    ledger = Ledger.open(Path(kept.directory), origin=kept.origin, clock=SystemClock(), checkpoint_file=notes)
    heard = []
    done = assess(plan, threats, ledger, SystemClock(), lambda *said: heard.append(said), resume=resume)
    entries = ledger.entries(0, 100_000)
    ledger.close()
    return done, heard, entries


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One finished run over a threat that talks to the endpoint and one that does not."""
    folder = tmp_path_factory.mktemp("assess")
    with weak_model() as (url, seen):
        return folder, *run(folder, url, (T01, T09), max_requests=500), len(seen)


def test_the_weak_server_loses_without_and_keeps_its_secrets_with_the_gateway(finished):
    """Off above on, exit code by the claims, and the control that did it is named."""
    _, done, _, _, seen = finished
    row = done.rows[0]
    assert row.state is State.HOLDS, row.why
    assert row.evidence.off.value > row.evidence.on.value
    assert row.evidence.families["system-prompt theft"][1].value == 0
    assert [one.threat.id for one in done.rows] == ["T01", "T09"]
    assert row.evidence.stopped_by["output.leak"] > 0
    assert done.settings["output.leak"] == '"block"'
    assert done.exit_code() == 0
    assert not (finished[0] / "assessment.partial").exists()
    assert seen <= done.requests <= 500


def test_progress_is_told(finished):
    """Which threat, what of it, how far."""
    assert ("T01 Prompt injection: benign requests", 40, 40) in finished[2]


def test_every_attempt_and_every_exchange_is_in_the_ledger_and_it_verifies(finished):
    """The assessment and the gateway wrote to one log, the checkpoint seals it, and every receipt is in it."""
    folder, done, _, entries, _ = finished
    kinds = {entry.record.kind for entry in entries}
    assert {"assessment-started", "attempt", "row", "assessment-ended"} < kinds
    result = verify(Section(directory=str(folder / "ledger"), checkpoint_file=str(folder / "c.txt")))
    assert result.intact, result.problems
    assert result.sealed == result.records == done.sealed.last_seq + 1
    receipts = {entry.body.get("receipt", "") for entry in entries if entry.record.kind == "attempt"} - {""}
    assert receipts
    assert receipts <= {f"{entry.record.seq}:{entry.leaf_hash.hex()}" for entry in entries}


def test_a_target_that_dies_half_way_is_untested(tmp_path):
    """Nothing is claimed from what could not be asked."""
    with weak_model(fail_after=20) as (url, _):
        done, _, _ = run(tmp_path, url, (T01,))
    assert done.rows[0].state is State.UNTESTED
    assert done.exit_code() == 2


def test_too_few_requests_are_untested_not_safe(tmp_path):
    """A limit of ten proves nothing, and is not exceeded."""
    with weak_model() as (url, seen):
        done, _, _ = run(tmp_path, url, (T01,), max_requests=10)
    assert done.exit_code() == 2
    assert len(seen) <= 10


def test_a_resumed_run_takes_over_what_was_finished_and_asks_the_rest_again(tmp_path):
    """The row that is on disk is not proved twice; one that could not be tested is; the requests stay counted."""
    with weak_model() as (url, _):
        plan = configured(tmp_path, target=url, output=str(tmp_path), max_requests=60)
        kept = Partial(tmp_path / NAME, fingerprint(plan, (T01, T09)))
        kept.add(Row(T09, State.HOLDS, "proved before the interruption"), 0)
        kept.add(Row(T01, State.UNTESTED, "the line was cut"), 50)
        done, heard, entries = run(tmp_path, url, (T01, T09), resume=True, max_requests=60)
    assert done.rows[1].why == "proved before the interruption"
    assert not [what for what, _, _ in heard if what.startswith("T09")]
    assert done.rows[0].why != "the line was cut"
    assert 50 < done.requests <= 60
    assert entries[0].body["taken_over"] == ["T09"]

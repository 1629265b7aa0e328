"""The bench of one proof: no chat for who did not ask for one, and receipts that lead to the control."""

import pytest
from msgspec.structs import replace
from tests.threats.test_stage import configured

from bartizan.core.clock import StoppedClock
from bartizan.lab.benign import Benign
from bartizan.ledger.log import Ledger
from bartizan.threats.prepare import bench_for


@pytest.fixture
def ledger(tmp_path):
    """An open ledger."""
    opened = Ledger.open(tmp_path / "l", origin="test/ledger", clock=StoppedClock())
    yield opened
    opened.close()


def test_a_threat_that_did_not_ask_for_the_chat_gets_none(tmp_path, ledger):
    """It would share neither the gateway nor the cap on requests."""
    bench = bench_for(configured(tmp_path), None, ledger, lambda *said: None)
    with pytest.raises(ValueError, match="asks_chat"):
        bench.guarded.ask(Benign("x", "hello").prompt())


def test_a_receipt_leads_to_the_control_that_stopped_the_answer(tmp_path, ledger):
    """Through the record that the gateway wrote."""
    bench = bench_for(configured(tmp_path), None, ledger, lambda *said: None)
    blocked = {"verdict": "block", "input": {"verdict": "allow"}, "output": [{"rule": "canary-leak"}]}
    receipt = ledger.append("exchange", blocked)
    assert bench.stopped_by(str(receipt)) == "output.leak"
    assert bench.stopped_by("") == ""
    assert bench.stopped_by("9999:00") == ""


def test_what_a_proof_records_is_in_the_ledger(tmp_path, ledger):
    """As it happens."""
    bench = bench_for(configured(tmp_path), None, ledger, lambda *said: None)
    bench.record("attempt", {"threat": "T01"})
    assert ledger.latest("attempt")[0].body == {"threat": "T01"}


def test_the_full_profile_takes_four_times_the_samples(tmp_path, ledger):
    """And four times the requests unless a cap is set."""
    plan = configured(tmp_path, profile="full")
    assert bench_for(plan, None, ledger, lambda *said: None).effort == 4
    assert plan.assess.cap() == 4000
    assert replace(plan.assess, max_requests=10).cap() == 10

"""T09 holds on the inert corpus, and would not hold with a scan that passes everything."""

from dataclasses import replace

from tests.threats.benches import bench

from bartizan.supply.base import Scanned, Verdict
from bartizan.threats import t09_supply_chain
from bartizan.threats.base import State, prove


def test_no_hostile_file_would_be_loaded_and_honest_ones_pass():
    """All three claims, every file recorded."""
    records = []
    row = prove(t09_supply_chain.T09, replace(bench(), record=lambda kind, body: records.append(body)))
    assert row.state is State.HOLDS, row.why
    assert row.evidence.on.value == 0
    measured = row.evidence.measured
    assert len(records) == row.evidence.on.n + sum(
        measured[name].n for name in ("benign blocked", "hostile by intent only, sent to a person")
    )
    assert measured["hostile by intent only, sent to a person"].value == 1
    assert len(row.evidence.families) == 5


def test_a_scan_that_passes_or_blocks_everything_fails(monkeypatch):
    """The claims can be broken both ways."""
    for verdict, said in ((Verdict.CLEAN, "Nothing hostile"), (Verdict.BLOCK, "Honest files are not refused")):
        monkeypatch.setattr(
            t09_supply_chain, "scan_bytes", lambda data, name, budget, given=verdict: Scanned(name, "x", given)
        )
        row = prove(t09_supply_chain.T09, bench())
        assert row.state is State.FAILED
        assert said in row.why

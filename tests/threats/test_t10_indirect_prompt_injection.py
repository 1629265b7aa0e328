"""T10 holds on the reference office, and would not hold with a firewall that lets everything, or nothing, run."""

from dataclasses import replace

from tests.threats.benches import bench

from bartizan.lab.agent.hijacked import Ruled, unguarded
from bartizan.threats import t10_indirect_prompt_injection as t10
from bartizan.threats.base import State, prove


def test_a_hijacked_agent_does_no_harm_behind_the_firewall():
    """Every claim; every pair recorded."""
    records = []
    row = prove(t10.T10, replace(bench(), record=lambda kind, body: records.append(body)))
    assert row.state is State.HOLDS, row.why
    assert row.evidence.off.value == 1
    assert row.evidence.on.value == 0
    assert row.evidence.measured["benign blocked"].value == 0
    assert len(records) == 3 * row.evidence.on.n


def test_a_firewall_that_lets_everything_or_nothing_run_fails(monkeypatch):
    """The claims can be broken both ways."""
    monkeypatch.setattr(t10, "firewall", lambda manifest: unguarded)
    row = prove(t10.T10, bench())
    assert row.state is State.FAILED
    assert "nothing happens" in row.why
    monkeypatch.setattr(t10, "firewall", lambda manifest: lambda messages, call: Ruled(False, "{}", "no"))
    row = prove(t10.T10, bench())
    assert "Honest tasks" in row.why

"""T03 holds on the reference model, and fails when the control does nothing."""

from dataclasses import replace

import pytest
from tests.threats.benches import bench

from bartizan.lab.evasion import trial as trials
from bartizan.threats import t03_adversarial_input
from bartizan.threats.base import State, prove


@pytest.fixture(scope="module")
def proved():
    """One run on the reference model, with what it recorded."""
    records = []
    row = prove(t03_adversarial_input.T03, replace(bench(), record=lambda kind, body: records.append(body)))
    return row, records


def test_every_claim_holds_on_the_reference_model(proved):
    """The attack wins without the control, much less with it, and no certificate breaks."""
    row, records = proved
    assert row.state is State.HOLDS, row.why
    assert row.evidence.off.value > 0.6
    assert row.evidence.on.value < 0.4
    assert set(row.evidence.families) == {"white box", "scores only", "labels only"}
    assert {body["control"] for body in records} == {"on", "off"}
    assert any("No sign of masked gradients" in note for note in row.evidence.notes)


def test_the_strongest_attacker_is_the_figure(proved):
    """No weaker attacker wins more than what is claimed."""
    row, _ = proved
    assert all(on.value <= row.evidence.on.value for _, on in row.evidence.families.values())


def test_a_control_that_does_nothing_fails(monkeypatch, proved):
    """The same proof with the plain model on both sides breaks the claims."""
    real = trials.reference_trial

    def idle(seed, **named):
        found = real(seed, **named)
        return replace(found, on=found.off)

    monkeypatch.setattr(trials, "reference_trial", idle)
    row = prove(t03_adversarial_input.T03, bench())
    assert row.state is State.FAILED
    assert "takes away part" in row.why
    assert "less than half" in row.why

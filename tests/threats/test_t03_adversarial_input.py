"""T03 holds on the reference model, and fails when the control does nothing."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.threats.benches import bench

from bartizan.core.sections import Settings
from bartizan.core.sections.lab import Lab
from bartizan.lab.evasion import trial as trials
from bartizan.lab.hardening.adversarial_training import Recipe, trained
from bartizan.lab.reference_classifier import DIGITS_SPEC, digits, small_cnn
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


def make():
    """The factory that the operator's settings name."""
    return small_cnn(width=8)


def test_on_the_operators_model_only_what_speaks_of_it_decides(tmp_path):
    """A plain network behind a confidence threshold falls to an attacker who knows it; the reference's claims do not
    decide.
    """
    train, test = digits()
    torch.save(trained(make(), train, DIGITS_SPEC, Recipe("none", epochs=5)).state_dict(), tmp_path / "m.pth")
    np.savez(tmp_path / "t.npz", x=test.x, y=test.y)
    factory = "tests.threats.test_t03_adversarial_input:make"
    files = {"classifier": str(tmp_path / "m.pth"), "data": str(tmp_path / "t.npz"), "factory": factory}
    lab = Lab(**files, shape=(1, 8, 8), epsilon=0.15, examples=60)
    row = prove(t03_adversarial_input.T03, replace(bench(), settings=Settings(lab=lab)))
    assert row.state is State.FAILED
    assert "less than half" in row.why
    assert [claim.decides for claim in row.claims] == [False, False, True, True, True, True]

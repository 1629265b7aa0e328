"""T07 holds on the reference task, and fails where private training is none or where the models are useless."""

from dataclasses import replace

import pytest
from tests.threats.benches import bench

from bartizan.lab.membership import stacked
from bartizan.threats import t07_membership_inference as t07
from bartizan.threats.base import State, prove


@pytest.fixture(autouse=True)
def _few_models(monkeypatch):
    """Six models show what twenty-four do, with wider intervals."""
    monkeypatch.setattr(t07, "MODELS", 8)


def test_the_leak_is_real_and_private_training_closes_it():
    """All claims, every attack recorded with the control off and on."""
    records = []
    row = prove(t07.T07, replace(bench(), record=lambda kind, body: records.append(body)))
    assert row.state is State.HOLDS, row.why
    assert row.evidence.off.value > 4 * row.evidence.on.value
    assert len(records) == 2 * len(row.evidence.families)
    assert any("(PLD)" in note for note in row.evidence.notes)


def test_training_that_only_says_it_is_private_fails(monkeypatch):
    """Without clipping and noise the same recipe leaks, and the claim breaks."""
    real = stacked.train

    def lying(x, y, inside, recipe, seed, *told):
        return real(x, y, inside, replace(recipe, noise=None, epochs=300, optimizer="adam", learning_rate=3e-3), seed)

    monkeypatch.setattr(stacked, "train", lying)
    row = prove(t07.T07, bench())
    assert row.state is State.FAILED
    assert "finds few more than false positives" in row.why

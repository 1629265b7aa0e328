"""T06 holds on the reference recogniser, and fails where scores still leave."""

from dataclasses import replace

import pytest
from tests.threats.benches import bench

from bartizan.policy.release import Release
from bartizan.threats import t06_model_inversion as t06
from bartizan.threats.base import State, prove


@pytest.fixture(autouse=True)
def _fewer_groups(monkeypatch):
    """Two groups of forty show what four do."""
    monkeypatch.setattr(t06, "GROUPS", 2)


def test_scores_give_people_away_and_labels_give_fewer():
    """All claims; every way recorded with the control off, on, and against a patient attacker."""
    records = []
    row = prove(t06.T06, replace(bench(), record=lambda kind, body: records.append(body)))
    assert row.state is State.HOLDS, row.why
    assert row.evidence.off.value > 2 * row.evidence.on.value
    assert row.evidence.measured["with ten times the questions"].value > row.evidence.on.value
    assert len([one for one in records if "recognised" in one]) == 3 * len(row.evidence.families)


def test_a_control_that_lets_scores_out_fails(monkeypatch):
    """Then the same questions give as many."""
    monkeypatch.setattr(t06, "PATIENT", 1)
    monkeypatch.setattr(Release, "apply", lambda self, x, scores: scores)
    row = prove(t06.T06, bench())
    assert row.state is State.FAILED
    assert "labels only" in row.why

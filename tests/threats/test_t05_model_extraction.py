"""T05 holds on the reference models, and fails where the control lets exact scores or other labels out."""

from dataclasses import replace

import numpy as np
from tests.threats.benches import bench

from bartizan.core.measures import Measurement
from bartizan.gateway.predict.accounts import Scores
from bartizan.lab.ownership import making
from bartizan.lab.ownership.fingerprint import Rank
from bartizan.policy.release import Release
from bartizan.threats import t05_model_extraction as t05
from bartizan.threats.base import State, prove


def test_exact_scores_give_the_model_and_the_control_does_not():
    """All claims; every budget of questions recorded with the control off and on."""
    records = []
    row = prove(t05.T05, replace(bench(), record=lambda kind, body: records.append(body)))
    assert row.state is State.HOLDS, row.why
    assert row.evidence.off.value == 1.0
    assert row.evidence.measured["decision tree, undefended"].value > 0.99
    assert len(records) == 2 * len(t05.LADDER)


def test_a_control_that_does_nothing_or_changes_labels_fails(monkeypatch):
    """The claims can be broken both ways."""
    monkeypatch.setattr(t05, "LADDER", (1, 2))
    for change, said in (
        (lambda self, x, scores: scores, "the same questions do not"),
        (lambda self, x, scores: np.roll(scores, 1, axis=1), "No label changes"),
    ):
        monkeypatch.setattr(Release, "apply", change)
        row = prove(t05.T05, bench())
        assert row.state is State.FAILED
        assert said in row.why


def test_a_watch_that_sees_nothing_or_everything_fails(monkeypatch):
    """Both of its claims can be broken."""
    monkeypatch.setattr(t05, "LADDER", (1,))
    for past, said in (([], "anywhere are noticed"), (["far"], "Honest windows are not")):
        monkeypatch.setattr(Scores, "past", lambda self, limits, past=past: past)
        row = prove(t05.T05, bench())
        assert row.state is State.FAILED
        assert said in row.why


def test_a_fingerprint_that_recognises_nothing_or_convicts_strangers_fails(monkeypatch):
    """Evidence that says nothing, and a rank that is always the first: each breaks its claim."""
    recognises, convicts = (claim.bound for claim in t05.T05.claims[-2:])
    for owner, name, broken, bound, which in (
        (making, "evidence_of", lambda scores, ridge: np.zeros_like(scores), recognises, 0),
        (Rank, "p", property(lambda self: 0.0), convicts, 1),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(owner, name, broken)
            assert not bound.holds(t05._recognised.__wrapped__(5)[which])


def test_a_width_that_nobody_reads_and_a_key_that_is_not_closed_fail():
    """A refusal proves nothing where there is nothing to read; one try that comes through is too much."""
    read, refused = (claim.bound for claim in t05.T05.claims[-4:-2])
    none, few, every = (Measurement(value, value, value, 42, 5, "share", "counted") for value in (0.0, 1 / 42, 1.0))
    assert (read.holds(every), refused.holds(none)) == (True, True)
    assert (read.holds(none), refused.holds(few)) == (False, False)

"""Attacks find members of a model that learned by heart, and none where there is nothing to find."""

import numpy as np
import pytest
from tests.lab.membership.samples import observed

from bartizan.lab.membership.attacks import ATTACKS, LiraFixed, LiraOnline, Loss, Pooled, Rmia
from bartizan.lab.membership.judge import roc
from bartizan.lab.membership.signals import Observed


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.name)
def test_every_attack_beats_chance_on_a_model_that_learned_by_heart(attack):
    """AUC well above one half, and one number a record."""
    seen, members = observed()
    score = attack.score(seen)
    assert score.shape == members.shape
    assert roc(score, members).auc > 0.62


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.name)
def test_no_attack_finds_members_that_the_model_never_saw(attack):
    """Against membership drawn at random it is near chance: the references leak nothing about the target."""
    seen, members = observed()
    strangers = np.random.default_rng(0).permutation(members)
    assert 0.4 < roc(attack.score(seen), strangers).auc < 0.6


def test_references_tell_more_than_a_threshold():
    """Calibration is what makes the attack strong."""
    seen, members = observed()
    loss, *calibrated = (roc(one.score(seen), members).auc for one in (Loss(), LiraFixed(), Rmia(), Pooled()))
    assert all(auc > loss + 0.05 for auc in calibrated)


def test_records_with_a_side_missing_and_labels_that_never_vary_stay_finite():
    """Two references: one side each at most; bare labels: no variance at all."""
    seen, _ = observed()
    few = Observed(seen.target, seen.references[:2], seen.inside[:2], seen.y)
    odd = Observed(seen.target, seen.references[:3], np.ones_like(seen.inside[:3]) & seen.inside[:1], seen.y)
    hard = np.eye(4)[seen.references.argmax(axis=2)]
    labels = Observed(np.eye(4)[seen.target.argmax(axis=1)], hard, seen.inside, seen.y, floor=0.05)
    for case in (few, odd, labels):
        for attack in ATTACKS:
            assert np.isfinite(attack.score(case)).all(), attack.name


def test_each_record_is_judged_by_its_own_models():
    """LiRA online on hand-made Gaussians gives the textbook ratio."""
    confidence = np.array([[2.0], [4.0], [-1.0], [1.0]])
    scores = np.stack([1 / (1 + np.exp(-confidence)), 1 - 1 / (1 + np.exp(-confidence))], axis=2)
    inside = np.array([[True], [True], [False], [False]])
    seen = Observed(np.array([[0.5, 0.5]]), scores, inside, np.array([0]))
    # in: mean 3, variance 2; out: mean 0, variance 2; at 0 the log ratio is -9/4.
    assert LiraOnline().score(seen)[0] == pytest.approx(-2.25)

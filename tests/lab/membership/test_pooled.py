"""The pooled estimator recovers a known model's ratio, shrinks when it must, and loses to nothing on few references."""

import numpy as np
import pytest

from bartizan.lab.membership.attacks import LiraFixed
from bartizan.lab.membership.judge import roc
from bartizan.lab.membership.pooled import log_ratio, prior_freedom, side
from bartizan.lab.membership.signals import Observed


def world(models, n=3000, seed=1):
    """Return target, references, inside, members drawn from a known hierarchical Gaussian model."""
    draw = np.random.default_rng(seed)
    mean_out = draw.normal(0, 3, n)
    mean_in = 4 + 0.6 * mean_out + draw.normal(0, 0.5, n)
    inside = np.concatenate([np.stack([half, ~half]) for half in draw.random((models // 2, n)) < 0.5])
    members = draw.random(n) < 0.5
    noise = draw.normal(0, 1.2, (models + 1, n))
    scores = np.where(np.vstack([members, inside]), mean_in, mean_out) + noise
    truth = ((scores[0] - mean_out) ** 2 - (scores[0] - mean_in) ** 2) / (2 * 1.2**2)
    return scores[0], scores[1:], inside, members, truth


def as_probability(confidence):
    """Return two-class probabilities of these log-odds."""
    p = 1 / (1 + np.exp(-confidence))
    return np.stack([p, 1 - p], axis=-1)


@pytest.mark.parametrize("models", [2, 4, 8])
def test_with_few_references_it_beats_the_fixed_variance_ratio(models):
    """Same scores, larger area, and no better than the true ratio, which knows every mean."""
    target, references, inside, members, truth = world(models)
    seen = Observed(as_probability(target), as_probability(references), inside, np.zeros(len(members), dtype=int))
    ours = roc(log_ratio(target, references, inside), members).auc
    assert ours > roc(LiraFixed().score(seen), members).auc + (0.003 if models == 4 else 0.0)
    assert ours < roc(truth, members).auc + 0.005


def test_with_many_references_it_becomes_the_true_ratio():
    """Sixty-four models leave nothing to pool."""
    target, references, inside, _, truth = world(64)
    assert np.corrcoef(log_ratio(target, references, inside), truth)[0, 1] > 0.98


def test_a_side_without_any_score_is_refused():
    """A ratio needs both."""
    target, references, _, _, _ = world(2)
    with pytest.raises(ValueError, match="one side"):
        log_ratio(target, references, np.ones_like(references, dtype=bool))


def test_sides_are_counted_and_equal_variances_are_pooled_hard():
    """Records that share one variance get a strong prior; records that do not get a weak one."""
    draw = np.random.default_rng(0)
    everywhere = np.ones((12, 2000), dtype=bool)
    same = side(draw.normal(size=(12, 2000)), everywhere)
    spread = np.exp(draw.normal(0, 1, 2000))
    mixed = side(draw.normal(size=(12, 2000)) * np.sqrt(spread), everywhere)
    assert same.freedom[0] == 11
    assert abs(float((same.squares / same.freedom).mean()) - 1) < 0.05
    assert prior_freedom(same, np.ones(2000)) > 60
    assert prior_freedom(mixed, np.ones(2000)) < 6

"""A study finds the leak of models that learn by heart, says which records it hits."""

import numpy as np
import pytest
from tests.lab.membership.samples import RECIPE, records

from bartizan.lab.membership.attacks import Loss, Pooled
from bartizan.lab.membership.shadows import balanced_halves
from bartizan.lab.membership.study import attacked, study


def test_models_that_learn_by_heart_leak_and_every_attack_is_reported():
    """The worst attack is no threshold; mislabelled records are the ones at risk."""
    x, y = records()
    told = []
    found = study((x, y), RECIPE, models=8, seed=4, progress=lambda *said: told.append(said))
    assert found.worst.attack != Loss.name
    assert found.worst.auc.low > 0.75
    assert found.train_accuracy.low > 0.97 > found.test_accuracy.high
    draw = np.random.default_rng(3)
    clean = (draw.normal(size=(400, 30)).astype(np.float32) @ draw.normal(size=(30, 4))).argmax(axis=1)
    wrong = y != clean
    assert wrong[list(found.vulnerable)].mean() > 2 * wrong.mean()
    assert told[-1] == ("shadow models", 8, 8)


def test_models_that_ignore_their_records_leak_nothing():
    """Scores drawn apart from membership: one half, and no hit."""
    draw = np.random.default_rng(0)
    scores = draw.dirichlet(np.ones(3), size=(8, 500))
    inside = balanced_halves(500, 8, seed=1)
    found = attacked(scores, inside, draw.integers(0, 3, 500), seed=1, attacks=(Loss(), Pooled()))
    assert all(leak.auc.low < 0.51 and leak.auc.high > 0.49 for leak in found.leaks)


def test_the_complement_of_a_target_is_no_reference():
    """If it were, the count of members would give every answer away."""
    inside = balanced_halves(50, 6, seed=1)
    kept = [len(inside)]

    class Counting:
        name = "counting"

        def score(self, seen):
            kept.append(len(seen.inside))
            return seen.inside.sum(axis=0).astype(float)

    found = attacked(np.full((6, 50, 2), 0.5), inside, np.zeros(50, dtype=int), seed=1, attacks=(Counting(),))
    assert kept[1:] == [4] * 6
    assert found.worst.auc.value == 0.5
    with pytest.raises(ValueError, match="at least 6"):
        study(records(), RECIPE, models=4, seed=1)

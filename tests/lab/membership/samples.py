"""A small leaky world for the tests: noisy labels that a network can only learn by heart."""

from functools import cache

import numpy as np

from bartizan.lab.membership.shadows import balanced_halves, shadow_scores
from bartizan.lab.membership.signals import Observed
from bartizan.lab.membership.stacked import Recipe

RECIPE = Recipe(hidden=(48,), epochs=60, batch=32, learning_rate=5e-3)


def records(n=400, d=30, classes=4, seed=3):
    """Return features and labels that agree with a linear rule four times in five."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, d)).astype(np.float32)
    y = (x @ draw.normal(size=(d, classes))).argmax(axis=1)
    wrong = draw.random(n) < 0.2
    y[wrong] = draw.integers(0, classes, wrong.sum())
    return x, y


@cache
def observed(models=8):
    """Return what an attacker saw of one target and `models` references, and who was a member."""
    x, y = records()
    inside = balanced_halves(len(x), models + 2, seed=5)
    scores = shadow_scores((x, y), inside, RECIPE, seed=11)
    return Observed(scores[0], scores[2:], inside[2:], y), inside[0]

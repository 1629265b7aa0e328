"""Honest inputs and steps of a query attack, for the tests of the watch."""

import functools

import numpy as np

from bartizan.gateway.predict.calibration import calibrated
from bartizan.lab.reference_classifier import digits

SIZE = 64
BOUNDS = (np.zeros(SIZE, np.float32), np.ones(SIZE, np.float32))


@functools.cache
def honest():
    """Images of digits to learn from (1297, 64), and others (500, 64)."""
    learn, later = digits(0)
    return learn.x.reshape(-1, SIZE), later.x.reshape(-1, SIZE)


@functools.cache
def profile():
    """A profile of digits."""
    return calibrated(honest()[0], BOUNDS, seed=5, history=2000)


def steps(count=12, size=0.02, seed=1, start=0):
    """Points close to one image, as HopSkipJump asks for them."""
    base = honest()[1][start]
    return np.clip(base + np.random.default_rng(seed).normal(0, size, (count, SIZE)), 0, 1).astype(np.float32)

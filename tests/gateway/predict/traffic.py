"""Honest inputs, steps of a query attack and questions of a thief, for the tests of the watches."""

import functools

import numpy as np

from bartizan.gateway.predict.calibration import calibrated
from bartizan.gateway.predict.sketch import doubt
from bartizan.gateway.predict.sketching import Honest, sketched
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


@functools.cache
def model():
    """Weights of a softmax of digits (64, 10), by least squares."""
    learn, _ = digits(0)
    x = learn.x.reshape(-1, SIZE)
    gram = x.T @ x + np.eye(SIZE)
    return np.linalg.solve(gram, x.T @ (np.eye(10)[learn.y] * 10 - 1)).astype(np.float32)


def scores_of(x):
    """What the model says (n, 10)."""
    odds = np.exp((x.reshape(len(x), -1) @ model()).astype(np.float64))
    return odds / odds.sum(axis=1, keepdims=True)


@functools.cache
def sketch():
    """A sketch of digits and what the model says of them."""
    x = honest()[0]
    scores = scores_of(x)
    return sketched(Honest(x, scores.argmax(axis=1), scores, BOUNDS), seed=5, clients=30)


def unlike(count, seed=0):
    """Questions of a thief who owns images of another kind: negatives."""
    draw = np.random.default_rng(seed)
    return 1 - honest()[1][draw.integers(0, 500, count)]


def rows_of(x):
    """What is not expected of questions."""
    scores = scores_of(x)
    return sketch().unexpected(sketch().place(x), scores.argmax(axis=1), doubt(scores, len(x)))

"""Catches private training that is not: a lower bound on epsilon from one run (Steinke, Nasr and Jagielski 2023).

Canaries are put into the training set by coin flips; after one training the auditor guesses which are in. Under
(epsilon, delta)-DP guesses can be right no more often than the theorem allows, so too many right guesses refute that
epsilon. The bound holds with the stated confidence whatever the canaries and the score are; a weak score only makes it
small. It is a test for lies and bugs, never a proof of privacy.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

Bound = Callable[[int, int, int, float, float], float]
"""Right guesses, guesses, canaries, delta and error probability to a lower bound on epsilon."""


@dataclass(frozen=True)
class Audit:
    """What one run refutes: training is not (`epsilon`, delta)-DP for any smaller epsilon, at this confidence."""

    epsilon: float
    right: int
    guesses: int
    canaries: int
    delta: float
    confidence: float

    def __str__(self) -> str:
        """Return the bound and the guesses behind it."""
        return (
            f"epsilon is above {self.epsilon:.2f} (delta {self.delta:g}, {self.confidence:.0%} confidence): "
            f"{self.right} of {self.guesses} guesses right, {self.canaries} canaries"
        )


def flip(canaries: int, seed: int) -> np.ndarray:
    """Return which canaries are put in: independent fair coins, (canaries,) bool."""
    return np.random.default_rng(seed).random(canaries) < 0.5


def audit(
    scores: np.ndarray,
    inside: np.ndarray,
    *,
    delta: float,
    guesses: tuple[int, ...] = (),
    confidence: float = 0.95,
    bound: Bound | None = None,
) -> Audit:
    """Return the best lower bound from `scores` (canaries,; higher means in) and the coins `inside`.

    `bound` is `lower_bound`, or `curve_audit.gaussian_bound`: higher, for a promise that says more.

    Half of each count in `guesses` says "in" of the highest scores, half "out" of the lowest; the rest abstain. Several
    counts share the error by Bonferroni's rule. Default: a few powers of two.
    """
    m = len(scores)
    counts = guesses or tuple(count for count in (16, 32, 64, 128, 256, 512, 1024) if count <= m // 2)
    if not counts or max(counts) > m or inside.shape != (m,):
        raise ValueError(f"audit: {m} canaries, guesses {counts}: expected at least 32 canaries and as many coins")
    beta = (1 - confidence) / len(counts)
    order = np.argsort(-scores, kind="stable")
    best = Audit(0.0, 0, counts[0], m, delta, confidence)
    for count in counts:
        right = int(inside[order[: count // 2]].sum() + (~inside[order[m - count // 2 :]]).sum())
        epsilon = (bound or lower_bound)(right, 2 * (count // 2), m, delta, beta)
        if epsilon >= best.epsilon:
            best = Audit(epsilon, right, 2 * (count // 2), m, delta, confidence)
    return best


def lower_bound(right: int, guesses: int, canaries: int, delta: float, beta: float) -> float:
    """Return the largest epsilon that `right` of `guesses` refutes with error probability `beta` (bisection)."""
    low, high = 0.0, 20.0
    if p_value(right, guesses, canaries, low, delta) > beta:
        return 0.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if p_value(right, guesses, canaries, middle, delta) <= beta else (low, middle)
    return low


def p_value(right: int, guesses: int, canaries: int, epsilon: float, delta: float) -> float:
    """Return the chance of at least `right` right guesses under (epsilon, delta)-DP (theorem 5.2 of the paper)."""
    p = 1 / (1 + np.exp(-epsilon))
    value = float(binom.sf(right - 1, guesses, p))
    if delta > 0 and right > 0:
        i = np.arange(1, right + 1)
        window = binom.sf(right - 1 - i, guesses, p) - value  # P(right - i <= W < right)
        value += 2 * canaries * delta * float(np.max(window / i, initial=0.0))
    return min(value, 1.0)


@dataclass(frozen=True)
class Canaries:
    """A data set with canaries behind the honest records, each alone in a feature of its own.

    No honest record touches a canary's feature, so the weights of that feature hold nothing but the canary's clipped
    gradients and the noise: the strongest test of an implementation there is for a model with weights on its inputs.
    """

    x: np.ndarray
    """(n + canaries, d + canaries)"""
    y: np.ndarray
    inside: np.ndarray
    """(1, n + canaries) bool: what to train on."""
    coins: np.ndarray

    def scores(self, weights: np.ndarray) -> np.ndarray:
        """Return how far the first layer's `weights` (d + canaries, out) moved towards each canary's label."""
        m = len(self.coins)
        own, labels = weights[-m:], self.y[-m:]
        mine = own[np.arange(m), labels]
        return np.asarray(mine - (own.sum(axis=1) - mine) / (own.shape[1] - 1))


def with_canaries(x: np.ndarray, y: np.ndarray, canaries: int, *, size: float = 4.0, seed: int) -> Canaries:
    """Return `x` (n, d), `y` with `canaries` more records of length `size`, random labels and fair coins."""
    draw = np.random.default_rng((seed, 2))
    wide = np.zeros((len(x) + canaries, x.shape[1] + canaries), dtype=np.float32)
    wide[: len(x), : x.shape[1]] = x
    wide[np.arange(len(x), len(wide)), np.arange(x.shape[1], wide.shape[1])] = size
    labels = np.concatenate([y, draw.integers(0, int(y.max()) + 1, canaries)])
    coins = flip(canaries, seed)
    return Canaries(wide, labels, np.concatenate([np.ones(len(x), dtype=bool), coins])[None], coins)

"""A tighter bound from the same one run, against a whole trade-off curve (Mahloujifar, Melis and Chaudhuri, ICML 2025).

(epsilon, delta) says what a mechanism may leak at one point; the curve of a Gaussian mechanism says it everywhere, and
right guesses that one point would allow may be too many for the curve. So the bound is higher, and it speaks of less:
it refutes that training is as private as the Gaussian mechanism whose (epsilon, delta) it is. DP-SGD with whole batches
is one, with small sampling rates and many steps it comes near (Dong, Roth and Su 2022). A mechanism of another kind may
be (epsilon, delta)-DP and still leak more than that curve allows: for it `audit.lower_bound` is the test.
"""

from collections.abc import Callable
from functools import lru_cache
from math import erfc, exp, inf, log, sqrt
from statistics import NormalDist

Curve = Callable[[float], float]
"""Chance of an event without a record, 0..1, to the least chance that it must keep with it, or the other way round."""
_NORMAL = NormalDist()
_FEWEST = 1e-300
_HIGHEST = 20.0
"""Largest epsilon that is looked for."""


def gaussian_bound(right: int, guesses: int, canaries: int, delta: float, beta: float) -> float:
    """Return the largest epsilon whose Gaussian curve `right` of `guesses` refutes with error probability `beta`.

    `delta` must be above 0: a Gaussian mechanism has no epsilon at 0. Takes the place of `audit.lower_bound`.
    """
    if not 0 < delta < 1:
        raise ValueError(f"delta = {delta}: expected 0 < delta < 1, a Gaussian mechanism has no epsilon at 0")
    if not 0 <= right <= guesses <= canaries:
        raise ValueError(
            f"{right} right of {guesses} guesses on {canaries} canaries: expected right <= guesses <= canaries"
        )
    low, high = 0.0, _HIGHEST
    if not refuted(gaussian(low, delta), right, guesses, canaries, beta):
        return 0.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if refuted(gaussian(middle, delta), right, guesses, canaries, beta) else (low, middle)
        )
    return low


def refuted(curve: Curve, right: int, guesses: int, canaries: int, beta: float) -> bool:
    """Return whether so many right guesses refute the curve with error probability `beta` (algorithm 3 of the paper).

    Suppose the auditor is right this often with a chance of `beta`. The chance of being right, and of being wrong, with
    one guess fewer right is then at least what the curve lets it fall to; if the chances of all counts add up to more
    than there is, the supposition was wrong. In shares of the canaries.
    """
    hit, miss = beta * right / canaries, beta * (guesses - right) / canaries
    for count in range(right - 1, -1, -1):
        more = max(miss, curve(hit))
        if more == miss:
            break
        hit, miss = min(1.0, hit + count / (guesses - count) * (more - miss)), more
    return hit + miss > guesses / canaries


def gaussian(epsilon: float, delta: float) -> Curve:
    """Return the curve of the Gaussian mechanism that is (`epsilon`, `delta`)-DP and no better."""
    mu = gaussian_mu(epsilon, delta)

    def kept(chance: float) -> float:
        return 1.0 if chance >= 1 else _NORMAL.cdf(_NORMAL.inv_cdf(max(chance, _FEWEST)) - mu)

    return kept


def approximate(epsilon: float, delta: float) -> Curve:
    """Return the curve of whatever is (`epsilon`, `delta`)-DP: its worst at every point."""

    def kept(chance: float) -> float:
        return max(0.0, (chance - delta) * exp(-epsilon), 1 - delta - exp(epsilon) * (1 - chance))

    return kept


@lru_cache(maxsize=4096)
def gaussian_mu(epsilon: float, delta: float) -> float:
    """Return sensitivity over deviation of the Gaussian mechanism that is (`epsilon`, `delta`)-DP and no better.

    Balle and Wang 2018, theorem 8, solved by bisection.
    """
    low, high = 0.0, 1.0
    while _delta(epsilon, high) < delta:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _delta(epsilon, middle) < delta else (low, middle)
    return high


def _delta(epsilon: float, mu: float) -> float:
    """Return the delta of mu-GDP at an epsilon."""
    above, below = mu / 2 - epsilon / mu, -mu / 2 - epsilon / mu
    tail = _below(below)
    return _below(above) - (exp(epsilon + log(tail)) if tail > 0 else 0.0)


def _below(z: float) -> float:
    """Return the normal mass below z, with its digits far out."""
    return erfc(-z / sqrt(2)) / 2 if z > -inf else 0.0

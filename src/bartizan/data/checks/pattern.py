"""A pattern that some rows of one class share and nothing else explains: additive triggers, clean-label ones too.

Rows of a class are whitened by how rows of the other classes vary (robust to imbalance, like SPECTRE, Hayase et al.
2021, and SCAn, Tang et al. 2021); along the directions of largest variance that are left, a second group that stands
clear of the first is a trigger. Honest variety is a continuum and does not split.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from bartizan.data.checks.base import Checked, Labels

SPLIT = 2.7
CLEAR = 8.0
SURE = 50.0
"""How far apart the groups lie: in deviations, and in those of the mean of the smaller one, which few rows hardly fix.
Six to eight honest digits of a class that are odd alike lie 8 to 14 deviations apart, 35 of that mean at most (in seven
parts); ten rows with a mark 82 and more.
"""
_DIRECTIONS = 24
_LEAST_GROUP = 6
"""Rows: in 3 of 40 honest parts of MNIST four rows of a class, odd in the same way, stood clear of the others."""
_RIDGE = 1e-3
_BLOCK = 64
Matrix = npt.NDArray[Any]


def shared_pattern(vectors: Matrix, labels: Labels, classes: int) -> Checked:
    """Flag the smaller, odd group of every class that falls into two along one direction. `vectors` are (n, d)."""
    rows = len(labels)
    centred, spreads = _by_class(vectors, labels, classes)
    scores, flagged = np.zeros(rows), np.zeros(rows, bool)
    reasons: dict[int, str] = {}
    alarms = []
    known = [one for one in range(classes) if spreads[one] is not None]
    every = sum(spreads[one] for one in known)
    for one in known if len(known) > 1 else []:
        own = np.flatnonzero(labels == one)
        found = _widest_split(centred[own], (every - spreads[one]) / (len(known) - 1))
        scores[own] = found.scores
        few = min(found.upper.sum(), len(own) - found.upper.sum())
        if found.gain < SPLIT or found.clear < CLEAR or found.clear * np.sqrt(few) < SURE:
            continue
        odd = _odd_side(found.direction, vectors, labels, own, found.upper)
        flagged[own[odd]] = True
        alarms.append(
            f"{odd.sum()} rows of class {one} share a pattern that no other class has (split {found.gain:.1f})"
        )
        reasons |= {int(at): f"carries a pattern shared by {odd.sum()} rows of class {one}" for at in own[odd]}
    return Checked("pattern", scores, flagged, reasons, tuple(alarms))


class _Split:
    """The clearest split of a class: gain (log ratio of spread before and after), gap in deviations, the two sides."""

    def __init__(
        self, gain: float, clear: float, upper: npt.NDArray[np.bool_], direction: Matrix, scores: Matrix
    ) -> None:
        self.gain, self.clear, self.upper, self.direction, self.scores = gain, clear, upper, direction, scores


def _by_class(vectors: Matrix, labels: Labels, classes: int) -> tuple[Matrix, list[Any]]:
    centred = np.array(vectors, np.float64)
    spreads: list[Any] = []
    for one in range(classes):
        own = labels == one
        if own.sum() < 2 * _LEAST_GROUP:
            spreads.append(None)
            continue
        centred[own] -= centred[own].mean(axis=0)
        spreads.append(centred[own].T @ centred[own] / own.sum())
    return centred, spreads


def _widest_split(own: Matrix, others: Matrix) -> _Split:
    ridge = _RIDGE * np.trace(others) / len(others) + 1e-5
    # Any root of the inverse whitens, they differ by a rotation: this one costs a third of the symmetric one.
    whiten = _inverse(np.linalg.cholesky(others + ridge * np.eye(len(others)))).T
    best = _Split(-1.0, 0.0, np.zeros(len(own), bool), whiten[:, 0], np.zeros(len(own)))
    for left in _leading(own @ whiten):
        direction = whiten @ left
        along = own @ direction
        gain, clear, bound = split(along)
        if gain > best.gain:
            upper = along > bound
            best = _Split(gain, clear, upper, direction, np.abs(along) / (np.median(np.abs(along)) + 1e-9))
    return best


def _inverse(lower: Matrix) -> Matrix:
    """Return the inverse of a lower triangular matrix, by its halves."""
    half = len(lower) // 2
    if half < _BLOCK:
        return np.asarray(np.linalg.inv(lower))
    found = np.zeros_like(lower)
    found[:half, :half], found[half:, half:] = _inverse(lower[:half, :half]), _inverse(lower[half:, half:])
    found[half:, :half] = -found[half:, half:] @ (lower[half:, :half] @ found[:half, :half])
    return found


def _leading(rows: Matrix) -> Matrix:
    """Return the directions (at most _DIRECTIONS, d) along which centred rows (n, d) vary most, the first one most."""
    if len(rows) >= rows.shape[1]:
        return np.linalg.eigh(rows.T @ rows)[1].T[: -_DIRECTIONS - 1 : -1]
    values, vectors = np.linalg.eigh(rows @ rows.T)
    known = np.flatnonzero(values > 1e-9 * values[-1])[: -_DIRECTIONS - 1 : -1]
    return np.asarray((rows.T @ (vectors[:, known] / np.sqrt(values[known]))).T)


def split(values: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the best cut of numbers in two: log of the variance it explains, the gap in deviations, the bound."""
    ranked = np.sort(values)
    count = ranked.size
    if count < 2 * _LEAST_GROUP or ranked[0] == ranked[-1]:
        return 0.0, 0.0, float(ranked[-1]) if count else 0.0
    sums, squares = np.cumsum(ranked), np.cumsum(ranked * ranked)
    left = np.arange(_LEAST_GROUP, count - _LEAST_GROUP + 1)
    right = count - left
    means = sums[left - 1] / left, (sums[-1] - sums[left - 1]) / right
    spreads = (
        np.maximum(squares[left - 1] / left - means[0] ** 2, 0),
        np.maximum((squares[-1] - squares[left - 1]) / right - means[1] ** 2, 0),
    )
    within = (left * spreads[0] + right * spreads[1]) / count
    gains = np.log(ranked.var() + 1e-12) - np.log(within + 1e-12)
    at = int(gains.argmax())
    gap = (means[1][at] - means[0][at]) / np.sqrt((spreads[0][at] + spreads[1][at]) / 2 + 1e-12)
    bound = (ranked[left[at] - 1] + ranked[left[at]]) / 2
    return float(gains[at]), float(gap), float(bound)


def _odd_side(direction: Matrix, vectors: Matrix, labels: Labels, own: Labels, upper: npt.NDArray[np.bool_]) -> Matrix:
    """Return which of the two sides is the trigger's: the one farther from where rows of other classes lie."""
    along = vectors @ direction
    middle = np.median(along[labels != labels[own[0]]])
    high, low = np.median(along[own[upper]]), np.median(along[own[~upper]])
    if abs(abs(high - middle) - abs(low - middle)) < 0.2 * abs(high - low):
        return upper if upper.sum() <= len(own) / 2 else ~upper
    return upper if abs(high - middle) > abs(low - middle) else ~upper

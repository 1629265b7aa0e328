"""Rows of one class that are bent in the same way: a warp as a trigger, which leaves no mark.

Each row is laid over the mean of its nearest rows of the class that its content says, and the smooth displacement that
carries one to the other is read (least squares on the brightness constancy of Lucas and Kanade 1981, on a coarse grid).
Honest rows that look like another class are bent each in its own way; those that one warp made agree. What sure rows of
a class show against that other class too is how the class looks, no warp, and does not count.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from bartizan.data.checks.base import Labels
from bartizan.data.checks.content import Votes

AGREED = 11.0
"""Agreement (see `agreement`) from which on suspects of a class share a warp. In 80 honest parts of MNIST and
Fashion-MNIST (2,000 rows, in half of them odd classes ten times rarer) it was 9.6 at most, in all but one 7.8.
"""
_GRID, _NEAREST = 5, 8
_RIDGE, _SPREAD_RIDGE = 0.1, 0.01
_LONGEST = 1.5
"""Fields are cut to so many median lengths: a row that was laid over a wrong one says nothing by being far away."""
_LEAST_ROWS = 4
_LEAST_ALIKE = 5
_CHUNK = 256
Matrix = npt.NDArray[Any]


class Warps:
    """The displacement fields of a set's rows, and in which classes those of suspects agree (a `content.Shared`)."""

    what = "is bent the same way"

    def __init__(self, plain: Matrix, labels: Labels) -> None:
        """`plain` are grey pictures (n, height, width) in 0..1."""
        self._labels = labels
        self._plain = smoothed(np.asarray(plain, np.float32), 0.7)
        self._near = smoothed(self._plain, 1.5).reshape(len(plain), -1)
        self._basis = tents(plain.shape[1], plain.shape[2])
        own = self._read(np.arange(len(labels)), labels)
        classes = int(labels.max()) + 1
        self._means = np.zeros((classes, own.shape[1]))
        for one in np.unique(labels).tolist():
            self._means[one] = own[labels == one].mean(axis=0)
        left = own - self._means[labels]
        spread = left.T @ left / len(left)
        spread[np.diag_indices(len(spread))] += _SPREAD_RIDGE * np.trace(spread) / len(spread) + 1e-9
        values, vectors = np.linalg.eigh(spread)
        self._whiten = vectors / np.sqrt(values)
        self._known = np.full(len(labels), -1)
        self._fields = np.zeros_like(own)

    def _against(self, other: Labels) -> Matrix:
        """Return the whitened fields of all rows against the classes `other`."""
        rows = np.flatnonzero(self._known != other)
        if len(rows):
            found = (self._read(rows, other[rows]) - self._means[other[rows]]) @ self._whiten
            self._fields[rows], self._known[rows] = found, other[rows]
        lengths = np.linalg.norm(self._fields, axis=1)
        cut = np.minimum(1, _LONGEST * np.median(lengths) / np.maximum(lengths, 1e-9))
        return np.asarray(self._fields * cut[:, None])

    def _read(self, rows: Labels, wanted: Labels) -> Matrix:
        """Return the fields (len(rows), 2 x grid points) of `rows` against their nearest of the classes `wanted`."""
        found = np.zeros((len(rows), 2 * len(self._basis)))
        for one in np.unique(wanted).tolist():
            pool, own = np.flatnonzero(self._labels == one), np.flatnonzero(wanted == one)
            count = min(_NEAREST, len(pool) // 4)
            if count < 1:
                continue
            for start in range(0, len(own), _CHUNK):
                part = own[start : start + _CHUNK]
                away = _distances(self._near[rows[part]], self._near[pool])
                away[rows[part][:, None] == pool[None, :]] = np.inf
                nearest = np.argpartition(away, count, axis=1)[:, :count]
                found[part] = displaced(self._plain[rows[part]], self._plain[pool[nearest]].mean(axis=1), self._basis)
        return found

    def strengths(self, votes: Votes, weight: Matrix) -> Matrix:
        """Return for each class how well its suspects agree, as a share of the bound."""
        found = np.zeros(len(self._means))
        for one in range(len(found)):
            rows, weights, fields = self._suspected(votes, weight, one)
            if len(rows) >= _LEAST_ROWS:
                found[one] = agreement(fields[rows], weights) / AGREED
        return found

    def evidence(self, votes: Votes, weight: Matrix, target: int) -> tuple[Matrix, Matrix]:
        """Return for each row the log odds that it was bent as suspects of `target` are, and the opposite way."""
        rows, weights, fields = self._suspected(votes, weight, target)
        if len(rows) < _LEAST_ROWS:
            return np.zeros(len(fields)), np.zeros(len(fields))
        whole = weights @ fields[rows]
        along = fields @ _unit(whole)
        # Those that made the mean are read along that of the others.
        rest = whole - weights[:, None] * fields[rows]
        along[rows] = (fields[rows] * rest).sum(axis=1) / np.maximum(np.linalg.norm(rest, axis=1), 1e-9)
        shift = max(0.0, float(weights @ along[rows] / weights.sum()))
        return shift * along - shift**2 / 2, -shift * along - shift**2 / 2

    def _suspected(self, votes: Votes, weight: Matrix, target: int) -> tuple[Labels, Matrix, Matrix]:
        """Return the suspects of a class, what each counts, and the fields of all rows without what the class shows."""
        own = np.flatnonzero(self._labels == target)
        rows = own[votes.margin[own] > 0]
        fields = self._against(votes.other)
        weights = np.sqrt(weight[target, votes.other[rows]])
        sure = own[np.argsort(votes.margin[own], kind="stable")[: len(own) // 2]]
        if len(rows) < _LEAST_ROWS or not len(sure):
            return rows, weights, fields
        shape = _unit(fields[sure].mean(axis=0))
        fields = fields - np.outer(fields @ shape, shape)
        for one in np.unique(votes.other[rows]).tolist():
            alike = sure[votes.other[sure] == one]
            if len(alike) >= _LEAST_ALIKE:
                shape = _unit(fields[alike].mean(axis=0))
                those = (votes.other == one) & (self._labels == target)
                fields[those] -= np.outer(fields[those] @ shape, shape)
        return rows, weights, fields


def agreement(fields: Matrix, weights: Matrix) -> float:
    """Return how far rows point the same way, in deviations of what rows that know nothing of each other would do."""
    alike = np.outer(weights, weights) * (fields @ fields.T)
    np.fill_diagonal(alike, 0)
    return float(alike.sum() / (np.sqrt(2 * (alike**2).sum()) + 1e-9))


def displaced(pictures: Matrix, laid: Matrix, basis: Matrix) -> Matrix:
    """Return by which displacements (n, 2 x points, down before right) of `laid` the `pictures` would come out."""
    count = len(pictures)
    left = (pictures - laid).reshape(count, -1, 1)
    slopes = [np.gradient(laid, axis=axis).reshape(count, 1, -1) for axis in (1, 2)]
    inputs = np.concatenate([slope * basis[None] for slope in slopes], axis=1)
    squares = inputs @ inputs.transpose(0, 2, 1) + _RIDGE * np.eye(inputs.shape[1], dtype=np.float32)
    return np.asarray(np.linalg.solve(squares, inputs @ left)[:, :, 0])


def tents(height: int, width: int) -> Matrix:
    """Return functions (points, height x width) that are 1 at a point of a grid, and fall to 0 at its neighbours."""
    down, along = (
        np.maximum(0, 1 - np.abs(np.linspace(0, _GRID - 1, size)[None, :] - np.arange(_GRID)[:, None]))
        for size in (height, width)
    )
    return np.asarray(np.einsum("ih,jw->ijhw", down, along).reshape(_GRID**2, -1), np.float32)


def smoothed(pictures: Matrix, deviation: float) -> Matrix:
    """Return pictures (n, height, width) under a Gaussian, edges repeated."""
    reach = max(1, round(4 * deviation))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    weights = (weights / weights.sum()).astype(np.float32)
    for axis in (1, 2):
        size = pictures.shape[axis]
        at = np.clip(np.arange(size)[:, None] + np.arange(-reach, reach + 1)[None, :], 0, size - 1)
        parts = [weight * np.take(pictures, at[:, step], axis=axis) for step, weight in enumerate(weights)]
        pictures = np.asarray(np.sum(parts, axis=0))
    return pictures


def _distances(some: Matrix, others: Matrix) -> Matrix:
    return np.asarray((some**2).sum(axis=1)[:, None] + (others**2).sum(axis=1)[None, :] - 2 * some @ others.T)


def _unit(vector: Matrix) -> Matrix:
    return np.asarray(vector / max(1e-9, float(np.linalg.norm(vector))))

"""What class each row would get from the other rows: out-of-sample probabilities by ridge regression.

Leaving a row out of a ridge regression has a closed form (Allen 1974), so every row is predicted by a model that never
saw it, from one decomposition. The ridge is the one that predicts best; scores become probabilities by a temperature
and a bias for each class, fitted to the labels (Guo et al., ICML 2017). Large sets are read in parts.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from bartizan.data.checks.base import Labels

Matrix = npt.NDArray[Any]
Probabilities = npt.NDArray[np.float64]
Features = Callable[[Labels], Matrix]
"""Returns (n, ...) features of the rows whose numbers it is given, made from these rows alone."""
PART = 5000
"""Rows that are read together: bounds memory, and is enough to tell classes by."""
_RIDGES = (1e-4, 1e-3, 1e-2, 0.1, 1.0)
_STEPS = 30


def predicted(features: Features, labels: Labels, classes: int, seed: int = 0) -> Probabilities:
    """Return (n, k) probabilities of the labels 0..k-1, each row's from a model that did not see it."""
    order = np.random.default_rng(seed).permutation(len(labels))
    found = np.zeros((len(labels), classes))
    for rows in np.array_split(order, max(1, -(-len(labels) // PART))):
        found[rows] = _calibrated(_unseen(features(rows), labels[rows], classes), labels[rows])
    return found


def _unseen(features: Matrix, labels: Labels, classes: int) -> Probabilities:
    rows = len(labels)
    plain = np.asarray(features, np.float32).reshape(rows, -1)
    plain = plain - plain.mean(axis=0)
    wanted = np.zeros((rows, classes), np.float32)
    wanted[np.arange(rows), labels] = 1
    base = wanted.mean(axis=0)
    values, left = _turned(plain)
    pulled, squares = left.T @ (wanted - base), left * left
    best, least = np.zeros((rows, classes)), np.inf
    for ridge in _RIDGES:
        shrink = (1 / (values + ridge * values.mean() + 1e-9)).astype(np.float32)
        hat = np.minimum(squares @ shrink + np.float32(1 / rows), np.float32(0.999))
        fitted = left @ (shrink[:, None] * pulled) + base
        unseen = (fitted - hat[:, None] * wanted) / (1 - hat[:, None])
        error = float(((unseen - wanted) ** 2).mean())
        if error < least:
            best, least = unseen, error
    return best.astype(np.float64)


def _turned(plain: Matrix) -> tuple[Matrix, Matrix]:
    """Return the squared singular values of a matrix, and it in the basis of its right singular vectors."""
    if plain.shape[0] < plain.shape[1]:
        values, vectors = np.linalg.eigh((plain @ plain.T).astype(np.float64))
        values = np.maximum(values, 0)
        return values, (vectors * np.sqrt(values)).astype(np.float32)
    values, vectors = np.linalg.eigh((plain.T @ plain).astype(np.float64))
    return np.maximum(values, 0), plain @ vectors.astype(np.float32)


def _calibrated(scores: Probabilities, labels: Labels) -> Probabilities:
    """Return softmax(a * scores + b) with a and b by Newton's method on the likelihood of the labels."""
    rows, classes = scores.shape
    wanted = np.zeros_like(scores)
    wanted[np.arange(rows), labels] = 1
    slope, bias = 5.0, np.zeros(classes)
    for _ in range(_STEPS):
        found = _softmax(slope * scores + bias)
        mean = (found * scores).sum(axis=1)
        gradient = np.append((found - wanted).mean(axis=0), ((found - wanted) * scores).sum() / rows)
        curve = np.empty((classes + 1, classes + 1))
        curve[:classes, :classes] = np.diag(found.mean(axis=0)) - found.T @ found / rows
        curve[:classes, classes] = curve[classes, :classes] = (found * (scores - mean[:, None])).mean(axis=0)
        curve[classes, classes] = float(((found * scores * scores).sum(axis=1) - mean * mean).mean())
        step = np.linalg.solve(curve + 1e-6 * np.eye(classes + 1), gradient)
        step *= min(1.0, 5.0 / (float(np.abs(step).max()) + 1e-12))
        bias, slope = bias - step[:-1], float(slope - step[-1])
        if np.abs(step).max() < 1e-6:
            break
    return _softmax(slope * scores + bias)


def _softmax(scores: Probabilities) -> Probabilities:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))

"""What voters say of each row, so that honest confusion of two classes is the same in both directions.

Voters give every class a score; of a class that is hard to tell (shirts among clothes) even its own rows get a low one,
so its rows look mislabelled into all others and never the reverse. Two corrections take that away. `centred` moves each
class so that its weaker rows and the strongest of the others meet; poison hardly moves these quantiles. `likely` turns
scores into probabilities that agree with the labels (multinomial logistic regression: as many rows are expected in a
class as have it), less what typical rows of another class get anyway: that is where poison would hide.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from bartizan.data.checks.base import Labels

Scores = npt.NDArray[np.float64]
_OWN, _OTHERS = 0.4, 0.9
"""Quantiles of a class's scores, of its own rows and of the others, between which its middle lies.

Poison that is a third of its class (5 % of a set with ten classes) pulls a lower quartile down to itself and hides.
"""
_STEPS, _RIDGE = 200, 1.0
_LEAST = 1e-4


def centred(scores: Scores, labels: Labels, kept: Labels) -> Scores:
    """Return scores (n, k) with the middle of each class, by the rows `kept`, at 0; classes without rows stay."""
    moved = scores.copy()
    known, told = scores[kept], labels[kept]
    for one in np.unique(told).tolist():
        own = told == one
        if own.all():
            continue
        moved[:, one] -= (np.quantile(known[own, one], _OWN) + np.quantile(known[~own, one], _OTHERS)) / 2
    return moved


def likely(scores: Scores, labels: Labels, kept: Labels) -> Scores:
    """Return log probabilities (n, k) of the labels by the rows `kept`, without a floor that a class has in another."""
    found = _fitted(scores, labels, kept)
    floor = np.zeros((scores.shape[1], scores.shape[1]))
    for one in np.unique(labels[kept]).tolist():
        floor[one] = np.median(found[kept][labels[kept] == one], axis=0)
        floor[one, one] = 0
    left = np.maximum(found - found @ floor, _LEAST)
    return np.asarray(np.log(left / left.sum(axis=1, keepdims=True)))


def _fitted(scores: Scores, labels: Labels, kept: Labels) -> Scores:
    """Return probabilities by multinomial logistic regression on the scores.

    Each step is that of a bound of the curvature which holds everywhere (Boehning and Lindsay 1988), with momentum.
    """
    count = scores.shape[1]
    scaled = (scores - scores[kept].mean(axis=0)) / (scores[kept].std() + 1e-9)
    inputs = np.concatenate([scaled, np.ones((len(scores), 1))], axis=1)
    known, wanted = inputs[kept], np.eye(count)[labels[kept]]
    inverse = np.linalg.inv(known.T @ known / 2 + _RIDGE * np.eye(count + 1))
    weights = ahead = np.zeros((count + 1, count))
    pace = 1.0
    for _ in range(_STEPS):
        slope = known.T @ (wanted - _softmax(known @ ahead)) - _RIDGE * ahead
        before, weights = weights, ahead + inverse @ slope
        pace, last = (1 + np.sqrt(1 + 4 * pace * pace)) / 2, pace
        ahead = weights + (last - 1) / pace * (weights - before)
    return _softmax(inputs @ weights)


def _softmax(values: npt.NDArray[Any]) -> Scores:
    raised = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))

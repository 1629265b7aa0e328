"""How nearly a model that gives scores is wrong, and how often it was turned: for rows and texts alike."""

from __future__ import annotations

from typing import Any

import numpy as np

from bartizan.core.measures import Measurement, proportion
from bartizan.lab.target import Array, Target


def margins(target: Target, x: Any, y: Array) -> Array:
    """Return the best wrong log-score minus the true one, (n,); silence counts on the model's side."""
    scores = target.log_scores(x)
    at = np.arange(len(y))
    right = scores[at, y].copy()
    scores[at, y] = -np.inf
    if target.traits.abstains:
        right = np.maximum(right, scores[:, -1])
        scores[:, -1] = -np.inf
    return np.asarray(scores.max(axis=1) - right)


def turned(target: Target, x: Any, y: Array, attacked: Any, seed: int) -> Measurement:
    """Return the share of rightly answered inputs whose attacked form is answered wrongly, with its interval."""
    right = target.labels(x) == y
    wrong = is_wrong(target, attacked, y)
    return proportion(int((wrong & right).sum()), max(int(right.sum()), 1), seed=seed)


def is_wrong(target: Target, x: Any, y: Array) -> Array:
    """Return which inputs are answered wrongly, (n,) bool. Not answering is not wrong."""
    said = target.labels(x)
    wrong = said != y
    if target.traits.abstains:
        wrong &= said != target.classes - 1
    return np.asarray(wrong)

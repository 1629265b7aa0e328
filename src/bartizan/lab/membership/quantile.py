"""Membership without shadow models: regress outsiders' confidence on their features, then ask who exceeds it.

After Bertran et al. 2023. The regression gives each record its own threshold; the score says by how many of its own
deviations the target's confidence lies above what a non-member like it would get. Needs answers of the target on
records that are certainly outside; knows neither its architecture nor its training.
"""

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor

from bartizan.lab.membership.signals import scaled_confidence

TREES = 60


def quantile_scores(
    outside: tuple[np.ndarray, np.ndarray, np.ndarray], asked: tuple[np.ndarray, np.ndarray, np.ndarray], *, seed: int
) -> np.ndarray:
    """Return the score (n,) of the `asked` records: (x, y, probabilities) each, features (n, d).

    Two quantiles are fitted on `outside`, the median and the upper sixth (one deviation of a normal).
    """
    x, y, scores = outside
    classes = scores.shape[1]
    confidence = scaled_confidence(scores, y)
    middle, upper = (_fitted(_with_label(x, y, classes), confidence, q, seed) for q in (0.5, 0.8413))
    rows = _with_label(asked[0], asked[1], classes)
    centre = middle.predict(rows)
    spread = np.maximum(upper.predict(rows) - centre, 0.25)
    return np.asarray((scaled_confidence(asked[2], asked[1]) - centre) / spread)


def _with_label(x: np.ndarray, y: np.ndarray, classes: int) -> np.ndarray:
    return np.hstack([x.reshape(len(x), -1), np.eye(classes)[y]])


def _fitted(x: np.ndarray, value: np.ndarray, quantile: float, seed: int) -> HistGradientBoostingRegressor:
    model = HistGradientBoostingRegressor(
        loss="quantile", quantile=quantile, max_iter=TREES, early_stopping=False, random_state=seed
    )
    return model.fit(x, value)

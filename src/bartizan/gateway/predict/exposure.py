"""How good a copy of the model a caller could have by now: a quick learner is taught the caller's own questions.

The learner is a ridge regression on the sketch's cosines, so what it knows is two sums (they can be added up over
callers who belong together), and it is asked about the honest inputs of the sketch: the share on which it agrees with
the model is the exposure. A thief with a better learner has a better copy: it is a floor, not a ceiling.
"""

import numpy as np

from bartizan.gateway.predict.sketch import WAVES, Sketch
from bartizan.gateway.predict.tensors import Array

FEWEST = 20
"""Questions below which nothing is estimated."""
_AGAIN = 1.25
"""A new estimate after so many times the questions of the last."""
_RIDGES = (0.3, 3.0, 30.0)
LABELS = 256
"""A model with more labels has no meter."""


class Exposure:
    """What one caller has been told."""

    def __init__(self, labels: int) -> None:
        """Know nothing of a model with so many labels."""
        self.count = 0
        self._gram = np.zeros((WAVES + 1, WAVES + 1), np.float32)
        self._said = np.zeros((WAVES + 1, labels), np.float32)
        self._due = FEWEST

    def add(self, places: Array, labels: Array) -> bool:
        """Take in answered questions (n, WAVES); return whether there are enough new ones for a new estimate."""
        rows = np.column_stack([places, np.ones(len(places))]).astype(np.float32)
        self._gram += rows.T @ rows
        for label in np.unique(labels):
            self._said[:, label] += rows[labels == label].sum(axis=0)
        self.count += len(rows)
        if self.count < self._due:
            return False
        self._due = int(self.count * _AGAIN) + 1
        return True

    def estimate(self, sketch: Sketch) -> float:
        """Return the share of the sketch's honest inputs on which the learner agrees with the model."""
        if self.count < FEWEST or not len(sketch.held):
            return 0.0
        asked = np.column_stack([sketch.held, np.ones(len(sketch.held))]).astype(np.float32)
        best = 0.0
        for ridge in _RIDGES:
            learnt = np.linalg.solve(self._gram + ridge * np.eye(WAVES + 1, dtype=np.float32), self._said)
            best = max(best, float(((asked @ learnt).argmax(axis=1) == sketch.held_labels).mean()))
        return best

"""A classifier with differential privacy in scikit-learn's words: fit, predict, predict_proba, score.

Softmax regression (`hidden=()`) or a small dense network, trained by DP-SGD (`membership/stacked.py`). What fit learns
of the data outside of DP-SGD is their number and shape only: ranges and classes are the caller's to state. The noise
comes from a generator that is quick, not cryptographic, and from a secret seed unless one is given for a test.
"""

import secrets
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from bartizan.lab.membership.signals import probabilities
from bartizan.lab.membership.stacked import Noise, Recipe, train
from bartizan.lab.privacy.accountant import Mechanism, Spent, noise_for, spent


class PrivateClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Trains with (epsilon, delta)-differential privacy for single records, accounted by the privacy loss distribution.

    After `fit`: `spent_` (epsilon by three accountants, named), `noise_multiplier_`, `classes_`.
    """

    def __init__(
        self,
        bounds: tuple[Any, Any],
        classes: Any,
        *,
        epsilon: float = 3.0,
        delta: float = 1e-5,
        recipe: Recipe | None = None,
        seed: int | None = None,
    ) -> None:
        """Take smallest and largest values (numbers, or one for each feature), and every class there may be.

        `recipe` says widths, epochs, batch, learning rate; its optimizer and noise are replaced. Default: a softmax
        regression, forty passes in batches of half the records.
        """
        self.bounds, self.classes, self.epsilon, self.delta = bounds, classes, epsilon, delta
        self.recipe, self.seed = recipe, seed

    def fit(self, x: Any, y: Any) -> "PrivateClassifier":
        """Train on records x (n, d) and their classes. Raises ValueError for a class that was not stated."""
        rows, self.classes_ = self._scaled(x), np.asarray(self.classes)
        place = np.searchsorted(self.classes_, y)
        if (np.diff(self.classes_) <= 0).any() or not np.isin(y, self.classes_).all():
            raise ValueError(f"classes = {self.classes}: expected every class once, in rising order")
        plain = self.recipe or Recipe(hidden=(), epochs=40, batch=max(1, len(rows) // 2), learning_rate=1.0)
        steps = plain.epochs * max(1, round(len(rows) / plain.batch))
        rate = min(1.0, plain.batch / len(rows))
        self.noise_multiplier_ = noise_for(self.epsilon, self.delta, rate, steps)
        self.spent_: Spent = spent(Mechanism(rate, self.noise_multiplier_, steps), self.delta)
        how = Recipe(**{**vars(plain), "optimizer": "sgd", "noise": Noise(1.0, self.noise_multiplier_)})
        seed = secrets.randbits(62) if self.seed is None else self.seed
        # One record of every class that is trained on by nobody tells the stack how many classes there are.
        every = np.concatenate([place, np.arange(len(self.classes_))])
        wide = np.concatenate([rows, np.zeros((len(self.classes_), rows.shape[1]), np.float32)])
        inside = np.arange(len(every))[None] < len(rows)
        self.stack_ = train(wide, every, inside, how, seed)
        return self

    def predict_proba(self, x: Any) -> np.ndarray:
        """Return the probability of each class (n, classes)."""
        return np.asarray(probabilities(self.stack_.logits(self._scaled(x)))[0])

    def predict(self, x: Any) -> np.ndarray:
        """Return the most likely class (n,)."""
        return np.asarray(self.classes_[self.predict_proba(x).argmax(axis=1)])

    def _scaled(self, x: Any) -> np.ndarray:
        """Return records within -1..1 by the stated bounds, and no longer than 1."""
        low, high = (np.asarray(bound, dtype=float) for bound in self.bounds)
        unit = 2 * (np.clip(np.asarray(x, dtype=float), low, high) - low) / np.maximum(high - low, 1e-12) - 1
        return np.asarray(unit / np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-12), np.float32)

"""Steals a softmax regression by solving equations: every answer gives one linear equation for each pair of classes.

Tramer et al. 2016. With full scores d + 1 questions are enough for d features, however many classes there are, because
one answer holds classes - 1 log-ratios. With rounded or noisy scores more questions average the error out.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

Scores = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Linear:
    """A softmax regression: `weights` (d, classes) and `bias` (classes,)."""

    weights: np.ndarray
    bias: np.ndarray

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Return probabilities (n, classes) of `x` (n, d)."""
        logits = x @ self.weights + self.bias
        logits -= logits.max(axis=1, keepdims=True)
        odds = np.exp(logits)
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))

    def labels(self, x: np.ndarray) -> np.ndarray:
        """Return the most likely class (n,)."""
        return np.asarray((x @ self.weights + self.bias).argmax(axis=1))


def solve(x: np.ndarray, answers: np.ndarray, *, floor: float = 1e-15, ridge: float = 0.0) -> Linear:
    """Return the model that fits the log-ratios of `answers` (n, classes) at `x` (n, d) best, by least squares.

    `floor` is what a probability rounded to zero is read as; `ridge` steadies the solution when answers are noisy.
    """
    logs = np.log(np.maximum(answers, floor))
    ratios = logs - logs.mean(axis=1, keepdims=True)
    design = np.hstack([x, np.ones((len(x), 1))])
    if ridge:
        gram = design.T @ design + ridge * np.eye(design.shape[1])
        solution = np.linalg.solve(gram, design.T @ ratios)
    else:
        solution = np.linalg.lstsq(design, ratios, rcond=None)[0]
    return Linear(solution[:-1], solution[-1])


def fit(x: np.ndarray, targets: np.ndarray, *, penalty: float = 1e-4) -> Linear:
    """Return the softmax regression of least cross-entropy to `targets` (n, classes): labels as one-hot, or scores."""
    n, d, classes = len(x), x.shape[1], targets.shape[1]
    targets = targets / np.maximum(targets.sum(axis=1, keepdims=True), 1e-12)

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        model = Linear(flat[: d * classes].reshape(d, classes), flat[d * classes :])
        said = model.scores(x)
        value = -(targets * np.log(np.maximum(said, 1e-300))).sum() / n + penalty * (model.weights**2).sum() / 2
        slope = (said - targets) / n
        return float(value), np.concatenate([(x.T @ slope + penalty * model.weights).ravel(), slope.sum(axis=0)])

    found = minimize(loss, np.zeros((d + 1) * classes), jac=True, method="L-BFGS-B", options={"maxiter": 200}).x
    return Linear(found[: d * classes].reshape(d, classes), found[d * classes :])

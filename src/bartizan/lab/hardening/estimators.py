"""Two defences as scikit-learn estimators: silence in doubt, and one spelling for all texts.

They fit, predict, clone, cross-validate and stand in pipelines as scikit-learn's own do, around any classifier of rows,
texts or whatever it takes. `lab/targets/scikit.py` knows `Rejecting`, so that attacks know of its silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.model_selection import train_test_split
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from bartizan.core.errors import BadSettings
from bartizan.lab.evasion.texts import synonyms
from bartizan.lab.hardening.canonical import Canonical
from bartizan.lab.hardening.rejection import threshold
from bartizan.lab.target import Array, softmax


class Rejecting(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier that says `silence` where its confidence is below a threshold that few clean inputs fall under.

    `fit` holds a share of the examples back, trains a copy of `estimator` on the others, and takes the threshold from
    those held back: over such sets at most a share `false_alarms` of inputs like them is left without an answer (split
    conformal calibration). `score`, and every other measure of `predict`, counts silence as wrong: see
    `accuracy_of_answers` and `share_unanswered`, which `cross_validate` takes as `scoring`.

    Fitted: `estimator_`, `classes_` (silence is none of them), `floor_` (0..1), `silence_`.
    """

    def __init__(
        self,
        estimator: Any,
        *,
        false_alarms: float = 0.02,
        held_out: float = 0.25,
        silence: Any = None,
        random_state: int | None = 0,
    ) -> None:
        """Wrap `estimator`, which has `predict_proba` or `decision_function`.

        `silence` is what stands for no answer; None: -1 beside numbers, an empty string beside words. `random_state`
        decides which share `held_out` (0..1) of the examples is held back.
        """
        self.estimator, self.false_alarms, self.held_out = estimator, false_alarms, held_out
        self.silence, self.random_state = silence, random_state

    def fit(self, x: Any, y: Any) -> Self:
        """Train on a part of the examples, calibrate on the rest.

        Raises BadSettings where too few are left for `false_alarms`, or the estimator gives nothing but labels.
        """
        if y is None:
            raise ValueError("Rejecting requires y to be passed, but the target y is None.")  # scikit-learn's words
        if not 0 < self.held_out < 1:
            raise BadSettings(f"held_out = {self.held_out}: expected above 0 and below 1")
        counts = np.unique(np.asarray(y), return_counts=True)[1]
        # A class with fewer than two examples cannot be on both sides.
        shares = y if counts.min() >= 2 and self.held_out * counts.sum() >= len(counts) else None
        parts = train_test_split(x, y, test_size=self.held_out, random_state=self.random_state, stratify=shares)
        return self._calibrate(clone(self.estimator).fit(parts[0], parts[2]), parts[1])

    @classmethod
    def calibrated(cls, fitted: Any, clean: Any, false_alarms: float = 0.02) -> Self:
        """Return `fitted`, as it is, behind a threshold from `clean` inputs that it was not trained on."""
        return cls(fitted, false_alarms=false_alarms)._calibrate(fitted, clean)

    def _calibrate(self, fitted: Any, clean: Any) -> Self:
        self.estimator_, self.classes_ = fitted, np.asarray(fitted.classes_)
        words = self.classes_.dtype.kind not in "iufb"
        self.silence_ = self.silence if self.silence is not None else "" if words else -1
        if self.silence_ in self.classes_.tolist():
            raise BadSettings(f"silence = {self.silence_!r} is a class", hint="Name something else that means none.")
        if hasattr(fitted, "n_features_in_"):
            self.n_features_in_ = fitted.n_features_in_
        self.floor_ = threshold(torch.from_numpy(_probabilities(fitted, clean).max(axis=1)), self.false_alarms)
        return self

    def predict_proba(self, x: Any) -> Array:
        """Return the probabilities of the classes, (n, classes), as the estimator gives them, answered or not."""
        check_is_fitted(self)
        return _probabilities(self.estimator_, x)

    def answers(self, x: Any) -> Array:
        """Return which inputs get an answer, (n,) bool."""
        return np.asarray(self.predict_proba(x).max(axis=1) >= self.floor_)

    def predict(self, x: Any) -> Array:
        """Return the class of each input, or `silence_`, (n,)."""
        found = self.predict_proba(x)
        said = self.classes_[found.argmax(axis=1)]
        kind = np.result_type(said, np.asarray(self.silence_))
        return np.where(found.max(axis=1) >= self.floor_, said.astype(kind), np.asarray(self.silence_, kind))

    def __sklearn_tags__(self) -> Any:
        """Say that what the estimator takes is what this takes."""
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags


class Spelling(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Rewrites texts in one spelling (`canonical.Canonical`); the first step of a pipeline that takes strings.

    Fitted: `words_` and `counts_`, the words of training as rewritten and how often they came; `leading_`, (words, 2):
    every word with synonyms and the one that stands for it.
    """

    def __init__(self, *, fewest: int = 2) -> None:
        """Know the words that come `fewest` times or more."""
        self.fewest = fewest

    def fit(self, texts: Sequence[str], y: Any = None) -> Self:
        """Learn the words of `texts`."""
        del y
        self._canonical = Canonical.fitted(list(texts), synonyms(), self.fewest)
        self.words_ = np.array(list(self._canonical.known), dtype=np.str_)
        self.counts_ = np.array(list(self._canonical.known.values()), dtype=np.int64)
        self.leading_ = np.array(list(self._canonical.leading.items()), dtype=np.str_).reshape(-1, 2)
        return self

    def transform(self, texts: Sequence[str]) -> list[str]:
        """Return `texts` in the one spelling."""
        if self._canonical is None:  # read from a file
            known = dict(zip(self.words_.tolist(), self.counts_.tolist(), strict=True))
            self._canonical = Canonical.of(known, dict(self.leading_.tolist()))
        return [self._canonical(text) for text in texts]

    _canonical: Canonical | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what follows from the rest."""
        return {name: value for name, value in super().__getstate__().items() if name != "_canonical"}


def accuracy_of_answers(estimator: Rejecting, x: Any, y: Any) -> float:
    """Return the share of the answered inputs whose answer is right; nan where none is answered."""
    answered = estimator.answers(x)
    return float((estimator.predict(x) == np.asarray(y))[answered].mean()) if answered.any() else float("nan")


def share_unanswered(estimator: Rejecting, x: Any, y: Any = None) -> float:
    """Return the share of inputs that get no answer."""
    del y
    return float(1 - estimator.answers(x).mean())


def _probabilities(fitted: Any, x: Any) -> Array:
    """Return probabilities (n, classes); where there are none, softmax of what the estimator decides by."""
    if hasattr(fitted, "predict_proba"):
        return np.asarray(fitted.predict_proba(x), dtype=np.float64)
    if not hasattr(fitted, "decision_function"):
        raise BadSettings(
            f"{type(fitted).__name__} gives labels only: expected predict_proba or decision_function",
            hint="Wrap it in sklearn.calibration.CalibratedClassifierCV.",
        )
    lead = np.asarray(fitted.decision_function(x), dtype=np.float64)
    return softmax(np.stack([np.zeros_like(lead), lead], axis=1) if lead.ndim == 1 else lead)

"""Was this suspect made from our model? A fingerprint of a classifier, with a p-value that is exact for any suspect.

The owner trains `models` classifiers by one procedure and a draw decides which of them is published. Where they differ,
each answer of a suspect speaks for some of them and against others; what speaks for ours is ranked among what speaks
for each. Whoever knows nothing of the draw fits any of them best with the same chance, whatever family, data or
accuracy he has: the chance is in the draw, not in the suspect. Not innocent in this sense is who trains by the same
procedure with our own seed and records.

The draw happens once. Suspects that answer alike therefore err together: an unlucky draw would convict a whole family
of them. So the fingerprint also keeps how well ours fitted models of many families that never saw it, and convicts
nobody whom it fits no better than those.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bartizan.lab.target import Array

Labels = Callable[[Array], Array]
"""Inputs (n, …) to labels (n,)."""
FEWEST = 20
"""Models: one of fewer cannot stand out at 5 %."""
_FLOOR = 1e-3
"""Smallest probability whose logarithm counts: below it models differ in digits that no answer shows."""


@dataclass(frozen=True)
class Rank:
    """Where ours stands among the models that the suspect's answers may speak for."""

    others: int
    above: int
    """Of the others, those that the answers fit at least as well as ours: ties count against the owner."""
    asked: int
    deviations: float
    """How far the fit of ours lies above the mean of all, in their standard deviations."""
    innocents: int = 0
    """Models of many families that never saw ours, asked when the fingerprint was made."""
    alike: int = 0
    """Of them, those that ours fitted at least as far above the mean."""

    @property
    def exact(self) -> float:
        """Return how likely a suspect that does not depend on the draw ranks ours as high, whatever it is."""
        return (1 + self.above) / (1 + self.others)

    @property
    def p(self) -> float:
        """Return `exact`, or the share of innocents that fit ours as well where that is more: then the draw is unlucky.

        It is at least `exact`, so what `exact` promises holds for it too.
        """
        return max(self.exact, (1 + self.alike) / (1 + self.innocents) if self.innocents else 0.0)

    def __str__(self) -> str:
        """Return it as a court would ask for it."""
        met = f", {self.alike} of {self.innocents} innocent models fit as well" if self.innocents else ""
        return f"rank {1 + self.above} of {1 + self.others} after {self.asked} questions{met}: p = {self.p:.2g}"


@dataclass(frozen=True)
class Fingerprint:
    """Secret points, what each answer says for each model, and which model is ours.

    `points` (q, …), `evidence` (models, q, classes), `ours` in 0..models-1, `usual` (innocents,): how many deviations
    ours fitted models that never saw it. Whoever knows all this can turn a copy's answers around: it is kept secret.
    """

    points: Array
    evidence: Array
    ours: int
    usual: Array

    def __post_init__(self) -> None:
        """Refuse shapes that do not belong together."""
        models, count = self.evidence.shape[:2] if self.evidence.ndim == 3 else (0, 0)
        if models < FEWEST or len(self.points) != count or not 0 <= self.ours < models or self.usual.ndim != 1:
            raise ValueError(
                f"Fingerprint: points {self.points.shape}, evidence {self.evidence.shape}, ours {self.ours}, usual "
                f"{self.usual.shape}: expected (q, …), (models of at least {FEWEST}, q, classes), 0 <= ours < models, "
                "(innocents,)"
            )

    def verify(self, suspect: Labels) -> Rank:
        """Ask the suspect each point once. An answer that no model can give speaks for none of them."""
        return self.of_answers(suspect(self.points))

    def of_answers(self, answers: Array) -> Rank:
        """Return the rank of ours by the `answers` (q,) to the points."""
        fits = fitting(self.evidence, answers)
        above = int((np.delete(fits, self.ours) >= fits[self.ours]).sum())
        spread = float(fits.std())
        deviations = float(fits[self.ours] - fits.mean()) / spread if spread > 0 else 0.0
        alike = int((self.usual >= np.float32(deviations)).sum())
        return Rank(len(fits) - 1, above, len(self.points), deviations, len(self.usual), alike)


@dataclass(frozen=True)
class Draft:
    """A fingerprint before the draw: `usual` (innocents, models) holds what each model was worth to each innocent."""

    points: Array
    evidence: Array
    usual: Array

    def drawn(self, ours: int) -> Fingerprint:
        """Return the fingerprint with model `ours` as ours."""
        return Fingerprint(self.points, self.evidence, ours, self.usual[:, ours])


def draft(points: Array, evidence: Array, answers: Array) -> Draft:
    """Return the draft with the `answers` (innocents, q) of models that know nothing of the draw; there may be none."""
    fits = np.stack([fitting(evidence, one) for one in answers]) if len(answers) else np.zeros((0, len(evidence)))
    spread = fits.std(axis=1, keepdims=True)
    usual = np.where(spread > 0, (fits - fits.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1), 0)
    return Draft(points, evidence, usual.astype(np.float32))


def fitting(evidence: Array, answers: Array) -> Array:
    """Return what the `answers` (q,) say for each model, (models,): the sum of their evidence."""
    said = np.asarray(answers)
    rows = np.flatnonzero((said >= 0) & (said < evidence.shape[2]))
    return np.asarray(evidence[:, rows, said[rows]].sum(axis=1, dtype=np.float64))


def differing(scores: Array, count: int) -> Array:
    """Return the `count` points where labels of models differ most, best first: fewer where fewer have any difference.

    `scores` (models, points, classes). The measure is the entropy of the models' votes, which names no model.
    """
    labels = scores.argmax(axis=2)
    shares = np.stack([(labels == one).mean(axis=0) for one in range(scores.shape[2])], axis=1)
    entropy = -(shares * np.log(np.maximum(shares, 1e-12))).sum(axis=1)
    order = np.argsort(-entropy, kind="stable")[:count]
    return np.asarray(order[entropy[order] > 1e-9])


def evidence_of(scores: Array, ridge: float) -> Array:
    """Return what each answer says for each model, (models, points, classes) float32, from their probabilities.

    A copy answers a class the more often the likelier its original finds it, so the suspect's answers are explained by
    the models' log-scores, each apart from the models' mean, in one ridge regression with a coefficient for each model;
    the evidence of all answers sums to that coefficient. Regressing on all at once matters: what many models share,
    such as a bent for one class, does not tell which of them is the original. Exchanging models exchanges rows.
    """
    mean = scores.mean(axis=0)
    logs = np.log(np.maximum(scores, _FLOOR)).astype(np.float64)
    apart = logs - logs.mean(axis=0)
    apart -= (apart * mean).sum(axis=2, keepdims=True)  # what the models answer on average speaks for none of them
    flat, weighed = (one.reshape(len(apart), -1) for one in (apart, apart * np.sqrt(mean + 1e-3)))
    gram = weighed @ weighed.T / len(flat)
    size = np.trace(gram) / len(flat)
    mixed = np.linalg.solve(gram + (ridge * size + 1e-12) * np.eye(len(flat)), flat)
    return np.asarray(mixed.reshape(scores.shape), dtype=np.float32)

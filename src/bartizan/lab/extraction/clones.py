"""The adaptive thief of a softmax classifier: every way of using the same number of questions, the best one counts.

The thief knows the control (not its key), may own unlabelled records of the same kind, and chooses between solving
equations, learning from scores, learning from labels, and asking near-copies to average noise out. `judge` compares.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from bartizan.core.measures import Measurement, proportion
from bartizan.lab.extraction.equations import Linear, Scores, fit, solve

COPIES = 5
"""Near-copies of each input that the averaging thief asks."""


@dataclass(frozen=True)
class Stolen:
    """A copy, how it was made and what it cost."""

    how: str
    model: Linear
    queries: int


@dataclass(frozen=True)
class Thief:
    """Asks `scores` within the box 0..1; `own` (m, d) are records of the same kind that nobody labelled.

    `floor` is what a score of zero is read as: half a unit of the last digit when scores are rounded.
    """

    scores: Scores
    own: np.ndarray
    seed: int
    floor: float = 1e-15

    def steal(self, queries: int) -> list[Stolen]:
        """Return a copy from each way of spending `queries` questions."""
        return [Stolen(how, model, queries) for how, model in self._ways(queries)]

    def _ways(self, queries: int) -> Iterator[tuple[str, Linear]]:
        draw = np.random.default_rng((self.seed, queries))
        anywhere = draw.uniform(0, 1, (queries, self.own.shape[1]))
        natural = self.natural(queries, draw)
        for place, x in (("anywhere", anywhere), ("own records", natural)):
            answers = self.scores(x)
            labels = np.eye(answers.shape[1])[answers.argmax(axis=1)]
            yield f"equations, {place}", solve(x, answers, floor=self.floor)
            yield f"damped equations, {place}", solve(x, answers, floor=self.floor, ridge=1.0)
            yield f"learned from scores, {place}", fit(x, answers, penalty=1e-5)
            yield f"learned from labels, {place}", fit(x, labels)
        if queries >= 2 * COPIES:
            yield "averaged near-copies", self._averaged(queries, draw)

    def natural(self, queries: int, draw: np.random.Generator) -> np.ndarray:
        """Return `queries` inputs like honest ones: own records first, then noisy mixtures of pairs of them."""
        own = self.own[draw.permutation(len(self.own))]
        more = max(0, queries - len(own))
        left, right = (own[draw.integers(0, len(own), more)] for _ in range(2))
        share = draw.uniform(0, 1, (more, 1))
        mixed = np.clip(share * left + (1 - share) * right + draw.normal(0, 0.05, left.shape), 0, 1)
        return np.vstack([own[:queries], mixed])

    def _averaged(self, queries: int, draw: np.random.Generator) -> Linear:
        bases = draw.uniform(0, 1, (queries // COPIES, self.own.shape[1]))
        near = np.repeat(bases, COPIES, axis=0)
        answers = self.scores(np.clip(near + draw.normal(0, 0.02, near.shape), 0, 1))
        logs = np.log(np.maximum(answers, self.floor)).reshape(len(bases), COPIES, -1).mean(axis=1)
        return solve(bases, np.exp(logs), floor=1e-300, ridge=1.0)


def agreement(model: Linear, original: Callable[[np.ndarray], np.ndarray], x: np.ndarray, *, seed: int) -> Measurement:
    """Return the share of `x` that copy and original (a function to labels) answer alike."""
    same = model.labels(x) == original(x)
    return proportion(int(same.sum()), len(same), seed=seed)


def best(
    stolen: list[Stolen], original: Callable[[np.ndarray], np.ndarray], x: np.ndarray, *, seed: int
) -> tuple[Stolen, Measurement]:
    """Return the copy that agrees most, and its agreement: the thief's best way counts."""
    judged = [(one, agreement(one.model, original, x, seed=seed)) for one in stolen]
    return max(judged, key=lambda one: one[1].value)

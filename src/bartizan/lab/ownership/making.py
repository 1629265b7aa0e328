"""Makes a fingerprint: trains models by one procedure, finds points where they differ, and only then draws ours.

The draw comes last and knows nothing of the models, so whatever chose the points cannot favour ours. Everything follows
from one secret key: whoever has the records, the procedure and the key makes the same fingerprint again, which is how a
judge finds out whether the owner kept to it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from bartizan.lab.labelled import Labelled
from bartizan.lab.membership import stacked
from bartizan.lab.membership.shadows import BLOCK, Progress, Train, shadow_scores
from bartizan.lab.ownership.fingerprint import FEWEST, Draft, Labels, differing, draft, evidence_of
from bartizan.lab.target import Array

KEY_BYTES = 16
RIDGE = 1.0
_LEAST_POINTS = 50
MIXED = 4000
"""Mixtures of records among the candidates for points."""


@dataclass(frozen=True)
class Plan:
    """How many models and points, which share of the records each model gets, and the secret key."""

    models: int
    """With ours: the smallest p-value is one in so many."""
    points: int
    share: float
    key: bytes

    def __post_init__(self) -> None:
        """Refuse what could not convict anybody, or what anybody could guess."""
        if self.models < FEWEST or self.points < _LEAST_POINTS or not 0.1 <= self.share <= 1:
            raise ValueError(
                f"models {self.models}, points {self.points}, share {self.share}: "
                f"expected at least {FEWEST} and {_LEAST_POINTS}, and a share of 0.1 to 1"
            )
        if len(self.key) < KEY_BYTES:
            raise ValueError(f"a key of {len(self.key)} bytes: expected at least {KEY_BYTES}")

    def draw(self, what: str) -> np.random.Generator:
        """Return the generator of one purpose: none tells anything of another."""
        told = hashlib.sha256(b"fingerprint:" + what.encode() + b":" + self.key).digest()
        return np.random.default_rng(int.from_bytes(told))


@dataclass(frozen=True)
class Cohort:
    """Models made by one procedure, as what they say about `asked` (n, …): `scores` (models, n, classes)."""

    data: Labelled
    how: stacked.Recipe | Train
    plan: Plan
    asked: Array
    scores: Array

    @cached_property
    def labels(self) -> Array:
        """Return the label of each model for each of `asked`, (models, n)."""
        return np.asarray(self.scores.argmax(axis=2))

    def labels_of(self, points: Array) -> Array:
        """Return the label of each model for each of `points`, which are among `asked`, (models, q)."""
        rows = {row.tobytes(): at for at, row in enumerate(self.asked)}
        return np.asarray(self.labels[:, [rows[row.tobytes()] for row in points]])

    def differ(self) -> float:
        """Return the share of `asked` that the models do not all label alike."""
        return float((self.labels != self.labels[0]).any(axis=0).mean())

    def likeness(self, number: int) -> tuple[float, float, float]:
        """Return how often model `number` labels as the others do, and the least and most that any other model does.

        Outside that range it was hardly made by the same procedure, and the p-value would not hold.
        """
        same = (self.labels[:, None] == self.labels[None]).mean(axis=2)
        means = (same.sum(axis=1) - 1) / (len(same) - 1)
        others = np.delete(means, number)
        return float(means[number]), float(others.min()), float(others.max())

    def records(self, number: int) -> Labelled:
        """Return the records that model `number` was trained on."""
        rows = _inside(len(self.data), self.plan)[number]
        return Labelled(self.data.x[rows], self.data.y[rows])

    def network(self, number: int) -> stacked.Stack:
        """Return the dense network `number`, trained again with its block. Needs a recipe."""
        if not isinstance(self.how, stacked.Recipe):
            raise TypeError("network: expected a recipe of a dense network, not a training function")
        start = number - number % BLOCK
        rows = _inside(len(self.data), self.plan)[start : start + BLOCK]
        return stacked.train(_flat(self.data.x), self.data.y, rows, self.how, seed_of(self.plan) + start).one(
            number - start
        )


def seed_of(plan: Plan) -> int:
    """Return the seed of the first model; model `number` has this plus `number`."""
    return int(plan.draw("seed").integers(2**31 - 2**16))


def cohort(
    data: Labelled,
    asked: Array,
    how: stacked.Recipe | Train,
    plan: Plan,
    *,
    cache: Path | None = None,
    progress: Progress = lambda what, done, total: None,
) -> Cohort:
    """Train `plan.models` models on draws of `data` and ask them about `asked`. With `cache` a stopped run goes on."""
    inside = np.zeros((plan.models, len(data) + len(asked)), bool)
    inside[:, : len(data)] = _inside(len(data), plan)
    x = np.concatenate([data.x, asked])
    y = np.concatenate([data.y, np.zeros(len(asked), np.int64)])
    dense = isinstance(how, stacked.Recipe)
    scores = shadow_scores(
        (_flat(x) if dense else x, y), inside, how, seed=seed_of(plan), cache=cache, progress=progress
    )
    return Cohort(data, how, plan, asked, scores[:, len(data) :].astype(np.float32))


def with_mixtures(pool: Array, plan: Plan) -> Array:
    """Return the records of `pool` (n, …), then mixtures of random pairs of them: candidates for points."""
    draw = plan.draw("mixtures")
    left, right = (pool[draw.integers(0, len(pool), MIXED)] for _ in range(2))
    share = draw.uniform(0.3, 0.7, (MIXED, *[1] * (pool.ndim - 1))).astype(np.float32)
    return np.concatenate([pool, share * left + (1 - share) * right]).astype(np.float32)


def drafted(cohort: Cohort, natural: Array, innocents: Sequence[Labels] = ()) -> Draft:
    """Return points and evidence. Points are among the rows `natural` of what was asked; mixtures fill up.

    `innocents` are asked the points too. Raises ValueError where the models hardly differ.
    """
    count, scores = cohort.plan.points, cohort.scores
    mixed = np.arange(len(cohort.asked) - MIXED, len(cohort.asked))
    rows = natural[differing(scores[:, natural], count)]
    rows = np.concatenate([rows, mixed[differing(scores[:, mixed], count - len(rows))]])
    if len(rows) < _LEAST_POINTS:
        raise ValueError(f"the models differ on {len(rows)} points: expected at least {_LEAST_POINTS}")
    points = cohort.asked[rows]
    answers = np.stack([one(points) for one in innocents]) if innocents else np.zeros((0, len(rows)), int)
    return draft(points, evidence_of(scores[:, rows], RIDGE), answers)


def ours_of(plan: Plan) -> int:
    """Return which model the key draws."""
    return int(plan.draw("ours").integers(plan.models))


def _inside(records: int, plan: Plan) -> Array:
    """Return which records each model gets, (models, records) bool."""
    draw = plan.draw("records")
    count = round(plan.share * records)
    return np.stack([draw.permutation(records) < count for _ in range(plan.models)])


def _flat(x: Array) -> Array:
    return x.reshape(len(x), -1)

"""A sketch of honest questions: what inputs look like that the model answers with each label, and how hard they are.

An input becomes `WAVES` numbers by random cosines (Rahimi and Recht 2007), scaled so that honest inputs of one label
vary alike in every direction. The mean of a window of questions, less what their labels lead one to expect, is then a
maximum mean discrepancy (Gretton et al. 2012) with a kernel weighed by how little honest inputs vary; which labels a
client asks about says nothing. A sketch is a secret like a key: who has it can search for a way around.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from bartizan.core.errors import BadArtifact
from bartizan.gateway.predict.learnt import Form, read_back, written
from bartizan.gateway.predict.tensors import Array

WAVES = 256
"""Random cosines of an input."""
WIDTH = WAVES + 2
"""Numbers that say what is unexpected of a question."""
WATCHED = 1024
"""Most features that are looked at; of larger inputs a secret choice."""
KINDS = 1024
"""Most labels that are told apart; further ones share a place."""
SIZES = (32, 64, 128, 256, 512, 1024)
"""Questions in a window."""
_FLOOR = 0.3
"""Share of the mean deviation that every feature's own is raised by: a corner that is always empty is no proof."""


@dataclass(frozen=True)
class Limits:
    """The values of `accounts.Scores` above which a window is noticed."""

    far: float = np.inf
    doubt: float = np.inf
    hard: float = np.inf
    kin: float = np.inf


@dataclass(frozen=True)
class Sketch:
    """Honest questions in numbers; `sketching.py` makes one. D numbers an example, d of them looked at."""

    size: int
    """D"""
    seed: int
    """Where the random cosines come from."""
    reach: float
    """Distance at which two inputs are no longer alike, in deviations."""
    chosen: Array
    """Which features are looked at (d,) int64."""
    centre: Array
    """Mean of honest inputs (D,) float32."""
    spread: Array
    """Deviation of honest inputs (D,) float32."""
    mean: Array
    """Mean of the cosines (WAVES,) float32."""
    whiten: Array
    """From cosines to numbers in which honest inputs and clients vary alike (WAVES, WAVES) float32."""
    kinds: Array
    """Their mean for each label (kinds, WAVES) float32."""
    doubts: Array
    """Mean doubt for each label (kinds,) float32."""
    stand_in: Array
    """A quick learner of honest inputs, from place to a score for each label (WAVES + 1, kinds) float32."""
    hards: Array
    """Mean `hardness` for each label (kinds,) float32."""
    lean: Array
    """How doubt and hardness go with place over honest clients: who sends dark or noisy images has both (WAVES, 2)."""
    doubt_spread: float
    """Deviation of one input's doubt; 0: the model gives no scores, and doubt is not looked at."""
    hard_spread: float
    """Deviation of one input's hardness; 0: the model knows one label only, and it is not looked at."""
    chance: float
    """Deviation of the inner product of two honest clients' windows."""
    scales: Array
    """What scores of honest windows are: median and distance to the 99 % quantile by size and sign (SIZES, 3, 2)."""
    held: Array
    """Honest inputs that copies are judged by (h, WAVES) float32."""
    held_labels: Array
    """What the model says of them (h,) int64."""
    strange: float = np.inf
    """Squared distance from the mean of its label above which a single input is unlike honest ones."""
    limits: Limits = Limits()
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What was found when it was made, for people."""

    def units(self, x: Array) -> Array:
        """Return the features (n, d) that are looked at, in deviations from their mean."""
        return np.asarray((x[:, self.chosen] - self.centre[self.chosen]) / self.width)

    @cached_property
    def width(self) -> Array:
        """Return by what each feature is divided (d,)."""
        spread = self.spread[self.chosen]
        return np.asarray(spread + _FLOOR * spread.mean() + 1e-9, np.float32)

    @cached_property
    def _waves(self) -> tuple[Array, Array]:
        draw = np.random.default_rng(self.seed)
        directions = draw.normal(size=(len(self.chosen), WAVES)) / self.reach
        directions[:, ::2] *= 2  # every other cosine at half the reach
        return directions.astype(np.float32), draw.uniform(0, 2 * np.pi, WAVES).astype(np.float32)

    def cosines(self, units: Array) -> Array:
        """Return the random cosines (n, WAVES) of inputs in deviations."""
        directions, phases = self._waves
        return np.asarray(np.cos(units @ directions + phases))

    def place(self, x: Array) -> Array:
        """Return where inputs (n, D) lie (n, WAVES) float32."""
        return np.asarray((self.cosines(self.units(x)) - self.mean) @ self.whiten)

    def unexpected(self, places: Array, labels: Array, doubt: Array) -> Array:
        """Return place, doubt and hardness of inputs less what their answers lead one to expect (n, WIDTH)."""
        kinds = labels % len(self.kinds)
        apart = places - self.kinds[kinds]
        unsure, hard = np.zeros(len(labels)), np.zeros(len(labels))
        if self.doubt_spread:
            unsure = (doubt - self.doubts[kinds]) / self.doubt_spread - apart @ self.lean[:, 0]
        if self.hard_spread:
            hard = (self.hardness(places, kinds) - self.hards[kinds]) / self.hard_spread - apart @ self.lean[:, 1]
        return np.column_stack([apart, unsure, hard]).astype(np.float32)

    def hardness(self, places: Array, kinds: Array) -> Array:
        """Return how far the stand-in is from the model's answer (n,): the best other label's score less its own.

        A thief asks about what a learner of few answers gets wrong, and the stand-in is one.
        """
        scores = np.column_stack([places, np.ones(len(places), np.float32)]) @ self.stand_in
        rows = np.arange(len(places))
        own = scores[rows, kinds].copy()
        scores[rows, kinds] = -np.inf
        return np.asarray(scores.max(axis=1) - own)

    def distance(self, places: Array, labels: Array) -> Array:
        """Return how far inputs with these answers lie from the mean of honest ones with the same (n,), squared."""
        return np.asarray(((places - self.kinds[labels % len(self.kinds)]) ** 2).sum(axis=1))

    def write(self, path: Path) -> None:
        """Write the sketch for its owner only. Raises OSError."""
        numbers = {name: getattr(self, name) for name in _NUMBERS}
        _FORM.write(path, {**numbers, "limits": written(self.limits), "facts": dict(self.facts)}, self)

    @classmethod
    def read(cls, path: Path) -> "Sketch":
        """Return the sketch in a file; nothing in it is executed. Raises BadArtifact."""
        head, arrays = _FORM.read(path)
        try:
            numbers = {name: kind(head[name]) for name, kind in _NUMBERS.items()}
            found = cls(**numbers, **arrays, limits=Limits(**read_back(head["limits"])), facts=head["facts"])
            sizes = {"D": found.size, "d": len(found.chosen), "kinds": len(found.kinds), "h": len(found.held)}
        except (ValueError, KeyError, TypeError) as error:
            raise _FORM.refused(path, error) from None
        _FORM.check(path, arrays, sizes)
        chosen = found.chosen
        if not len(chosen) or chosen.min() < 0 or chosen.max() >= found.size or not len(found.kinds):
            raise BadArtifact(f"{path}: no labels, or features outside 0..{found.size - 1}")
        return found


_NUMBERS = {
    "size": int,
    "seed": int,
    "reach": float,
    "doubt_spread": float,
    "hard_spread": float,
    "chance": float,
    "strange": float,
}
_FORM = Form(
    "sketch",
    "bartizan predict sketch",
    2,
    {
        "chosen": (("d",), "int64"),
        "centre": (("D",), "float32"),
        "spread": (("D",), "float32"),
        "mean": ((WAVES,), "float32"),
        "whiten": ((WAVES, WAVES), "float32"),
        "kinds": (("kinds", WAVES), "float32"),
        "doubts": (("kinds",), "float32"),
        "stand_in": ((WAVES + 1, "kinds"), "float32"),
        "hards": (("kinds",), "float32"),
        "lean": ((WAVES, 2), "float32"),
        "scales": ((len(SIZES), 3, 2), "float32"),
        "held": (("h", WAVES), "float32"),
        "held_labels": (("h",), "int64"),
    },
)


def doubt(scores: Array | None, count: int) -> Array:
    """Return how unsure each answer is (count,): 1 less the lead of the most likely class; 0 without scores."""
    if scores is None:
        return np.zeros(count, np.float32)
    first, second = np.partition(scores, -2, axis=1)[:, -2:].T[::-1]
    return np.asarray(1 - (first - second), np.float32)

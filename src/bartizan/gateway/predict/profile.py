"""What honest inputs of one model look like: how usual each value is, and where its watch draws its lines.

A profile is made by `calibration.py` from inputs of the operator's own, and is kept as a file of plain arrays.
It is a secret like a key: who has it knows which features are watched and can search for a way around.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bartizan.core.errors import BadArtifact
from bartizan.gateway.predict.learnt import Form, read_back, written
from bartizan.gateway.predict.repeats import FINE, KINDS, repeats, usual_repeats
from bartizan.gateway.predict.tensors import Array

BINS = 64
"""Levels that a feature is told apart in."""
REACHES = (5, 14)
"""Two values match when they are at most this many levels apart: closely (0.08 of the range), and widely (0.22)."""
WATCHED = 1024
"""Most features that are looked at; of larger inputs a secret choice, in pairs of neighbours."""
DIRECTIONS = 64


@dataclass(frozen=True)
class Lines:
    """The values of `provenance.Signs` above which an input is suspicious; what no input can reach is switched off."""

    strange: float
    shared: float
    close: float
    wide: float
    repeated: float
    stepped: float


@dataclass(frozen=True)
class Profile:
    """Honest inputs in numbers. d watched features of D; every array is what `of` makes."""

    size: int
    """D: how many numbers one example has."""
    chosen: Array
    """Which features are watched (d,) int64."""
    low: Array
    """Value at level 0 (d,) float32."""
    high: Array
    """Value at the last level (d,) float32."""
    surprise: Array
    """-log of the share of honest inputs with a matching value (REACHES, BINS, d) float32."""
    directions: Array
    """From levels to the space in which neighbours are looked for (d, DIRECTIONS) float32."""
    centre: Array
    """Mean of honest inputs (D,) float32."""
    spread: Array
    """Deviation of honest inputs (D,) float32."""
    usual: Array
    """How often each value and each step comes in one honest input at most (KINDS, FINE) float32."""
    lines: Lines = Lines(*[np.inf] * 6)
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the calibration found, for people."""

    @classmethod
    def of(cls, x: Array, bounds: tuple[Array, Array], seed: int) -> "Profile":
        """Describe honest inputs x (n, D) within `bounds` (each (D,); infinite: taken from x). Draws no lines yet."""
        draw = np.random.default_rng(seed)
        chosen = np.arange(x.shape[1])
        if len(chosen) > WATCHED:
            pairs = np.sort(draw.choice(len(chosen) // 2, WATCHED // 2, replace=False))
            chosen = np.ravel([2 * pairs, 2 * pairs + 1], order="F")
        some = x[:, chosen]
        low = np.where(np.isfinite(bounds[0][chosen]), bounds[0][chosen], np.quantile(some, 0.002, axis=0))
        high = np.where(np.isfinite(bounds[1][chosen]), bounds[1][chosen], np.quantile(some, 0.998, axis=0))
        high = np.where(high > low, high, low + 1).astype(np.float32)
        low = low.astype(np.float32)
        levels = _levels(some, low, high)
        deviation = levels.std(axis=0) + 0.1 * BINS
        directions = draw.normal(size=(len(chosen), DIRECTIONS)) / np.sqrt(DIRECTIONS) / deviation[:, None]
        return cls(
            size=x.shape[1],
            chosen=chosen.astype(np.int64),
            low=low,
            high=high,
            surprise=np.stack([_surprise(levels, reach) for reach in REACHES]),
            directions=directions.astype(np.float32),
            centre=x.mean(axis=0).astype(np.float32),
            spread=x.std(axis=0).astype(np.float32),
            usual=usual_repeats((some - low) / (high - low)),
        )

    def levels(self, x: Array) -> Array:
        """Return the levels (n, d) uint8 of inputs (n, D). Values outside the range are at its ends."""
        return _levels(x[:, self.chosen], self.low, self.high)

    def place(self, levels: Array) -> Array:
        """Return where inputs lie (n, DIRECTIONS) float32: near each other when the inputs are."""
        return np.asarray(levels.astype(np.float32) @ self.directions)

    def surprises(self, levels: Array) -> Array:
        """Return how unusual each value of one input is at each reach (REACHES, d) float32, in nats."""
        return np.asarray(self.surprise[:, levels, np.arange(len(levels))])

    def repeats(self, x: Array) -> tuple[float, float]:
        """Return how many times more often than usual one value of one input (D,) comes, and one step."""
        return repeats((x[self.chosen] - self.low) / (self.high - self.low), self.usual)

    def write(self, path: Path) -> None:
        """Write the profile for its owner only. Raises OSError."""
        _FORM.write(path, {"size": self.size, "lines": written(self.lines), "facts": dict(self.facts)}, self)

    @classmethod
    def read(cls, path: Path) -> "Profile":
        """Return the profile in a file; nothing in it is executed. Raises BadArtifact."""
        head, arrays = _FORM.read(path)
        try:
            size, width = int(head["size"]), len(arrays["chosen"])
            lines = Lines(**read_back(head["lines"]))
            facts = head["facts"]
        except (ValueError, KeyError, TypeError) as error:
            raise _FORM.refused(path, error) from None
        sizes = {"D": size, "d": width, "reaches": len(REACHES), "bins": BINS, "directions": DIRECTIONS}
        sizes |= {"kinds": KINDS, "fine": FINE}
        _FORM.check(path, arrays, sizes)
        if not width or arrays["chosen"].min() < 0 or arrays["chosen"].max() >= size:
            raise BadArtifact(f"{path}: watched features outside 0..{size - 1}")
        return cls(size=size, **arrays, lines=lines, facts=facts)


_FORM = Form(
    "profile",
    "bartizan predict calibrate",
    2,
    {
        "chosen": (("d",), "int64"),
        "low": (("d",), "float32"),
        "high": (("d",), "float32"),
        "surprise": (("reaches", "bins", "d"), "float32"),
        "directions": (("d", "directions"), "float32"),
        "centre": (("D",), "float32"),
        "spread": (("D",), "float32"),
        "usual": (("kinds", "fine"), "float32"),
    },
)


def _levels(x: Array, low: Array, high: Array) -> Array:
    scaled = (x - low) * (BINS / (high - low))
    return np.asarray(np.clip(scaled, 0, BINS - 1).astype(np.uint8))


def _surprise(levels: Array, reach: int) -> Array:
    """Return -log of the share of honest inputs within `reach` of each level, one case added so that none is 0."""
    counts = np.stack([(levels == level).sum(axis=0) for level in range(BINS)])
    sums = np.vstack([np.zeros((1, counts.shape[1])), counts.cumsum(axis=0)])
    ends = np.minimum(np.arange(BINS) + reach + 1, BINS)
    starts = np.maximum(np.arange(BINS) - reach, 0)
    return np.asarray(-np.log((sums[ends] - sums[starts] + 1) / (len(levels) + 2)), np.float32)

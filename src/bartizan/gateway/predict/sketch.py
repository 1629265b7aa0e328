"""A sketch of honest questions: what inputs look like that the model answers with each label, and how sure it is.

An input becomes `WAVES` numbers by random cosines (Rahimi and Recht 2007), scaled so that honest inputs of one label
vary alike in every direction. The mean of a window of questions, less what their labels lead one to expect, is then a
maximum mean discrepancy (Gretton et al. 2012) with a kernel weighed by how little honest inputs vary; which labels a
client asks about says nothing. A sketch is a secret like a key: who has it can search for a way around.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from bartizan.core.errors import BadArtifact
from bartizan.core.files import write_private
from bartizan.gateway.predict.tensors import Array

WAVES = 256
"""Random cosines of an input."""
WATCHED = 1024
"""Most features that are looked at; of larger inputs a secret choice."""
KINDS = 1024
"""Most labels that are told apart; further ones share a place."""
SIZES = (32, 64, 128, 256, 512, 1024)
"""Questions in a window."""
_FLOOR = 0.3
"""Share of the mean deviation that every feature's own is raised by: a corner that is always empty is no proof."""
_FORM = 1


@dataclass(frozen=True)
class Limits:
    """The values of `accounts.Scores` above which a window is noticed."""

    far: float = np.inf
    doubt: float = np.inf
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
    lean: Array
    """How doubt goes with place over honest clients: whose images are dark or noisy is answered with doubt (WAVES,)."""
    doubt_spread: float
    """Deviation of one input's doubt; 0: the model gives no scores, and doubt is not looked at."""
    chance: float
    """Deviation of the inner product of two honest clients' windows."""
    scales: Array
    """What scores of honest windows are: median and distance to the 99 % quantile by size and sign (SIZES, 2, 2)."""
    held: Array
    """Honest inputs that copies are judged by (h, WAVES) float32."""
    held_labels: Array
    """What the model says of them (h,) int64."""
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
        """Return what is not expected of inputs with these answers (n, WAVES + 1): place, and doubt in deviations."""
        kinds = labels % len(self.kinds)
        apart = places - self.kinds[kinds]
        if not self.doubt_spread:
            return np.column_stack([apart, np.zeros(len(labels))]).astype(np.float32)
        unsure = (doubt - self.doubts[kinds]) / self.doubt_spread - apart @ self.lean
        return np.column_stack([apart, unsure]).astype(np.float32)

    def write(self, path: Path) -> None:
        """Write the sketch for its owner only. Raises OSError."""
        numbers = {name: getattr(self, name) for name in _NUMBERS}
        limits = {name: None if np.isinf(value) else value for name, value in vars(self.limits).items()}
        head = {"form": _FORM, **numbers, "limits": limits, "facts": dict(self.facts)}
        out = io.BytesIO()
        arrays = {name: getattr(self, name) for name in _SHAPES}
        np.savez_compressed(out, head=np.frombuffer(json.dumps(head).encode(), np.uint8), **arrays)
        write_private(path, out.getvalue())

    @classmethod
    def read(cls, path: Path) -> "Sketch":
        """Return the sketch in a file; nothing in it is executed. Raises BadArtifact."""
        try:
            with np.load(path, allow_pickle=False) as file:
                head = json.loads(file["head"].tobytes())
                arrays = {name: file[name] for name in _SHAPES}
            if head["form"] != _FORM:
                raise BadArtifact(f"{path}: a sketch of another version; make it again: `bartizan predict sketch`")
            numbers = {name: kind(head[name]) for name, kind in _NUMBERS.items()}
            limits = {name: np.inf if value is None else float(value) for name, value in head["limits"].items()}
            found = cls(**numbers, **arrays, limits=Limits(**limits), facts=head["facts"])
        except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
            raise BadArtifact(
                f"{path}: no sketch of a predictive model: {type(error).__name__}: {str(error)[:200]}",
                hint="`bartizan predict sketch MODEL --data FILE` makes one.",
            ) from None
        found._check(path)
        return found

    def _check(self, path: Path) -> None:
        sizes = {"D": self.size, "d": len(self.chosen), "kinds": len(self.kinds), "h": len(self.held)}
        for name, (axes, kind) in _SHAPES.items():
            shape = tuple(sizes[axis] if isinstance(axis, str) else axis for axis in axes)
            if getattr(self, name).shape != shape or getattr(self, name).dtype != kind:
                raise BadArtifact(f"{path}: {name} of shape {getattr(self, name).shape}: expected {shape} {kind}")
        if not len(self.chosen) or self.chosen.min() < 0 or self.chosen.max() >= self.size or not len(self.kinds):
            raise BadArtifact(f"{path}: no labels, or features outside 0..{self.size - 1}")


_NUMBERS = {"size": int, "seed": int, "reach": float, "doubt_spread": float, "chance": float}
_SHAPES: dict[str, tuple[tuple[str | int, ...], str]] = {
    "chosen": (("d",), "int64"),
    "centre": (("D",), "float32"),
    "spread": (("D",), "float32"),
    "mean": ((WAVES,), "float32"),
    "whiten": ((WAVES, WAVES), "float32"),
    "kinds": (("kinds", WAVES), "float32"),
    "doubts": (("kinds",), "float32"),
    "lean": ((WAVES,), "float32"),
    "scales": ((len(SIZES), 2, 2), "float32"),
    "held": (("h", WAVES), "float32"),
    "held_labels": (("h",), "int64"),
}


def doubt(scores: Array | None, count: int) -> Array:
    """Return how unsure each answer is (count,): 1 less the lead of the most likely class; 0 without scores."""
    if scores is None:
        return np.zeros(count, np.float32)
    first, second = np.partition(scores, -2, axis=1)[:, -2:].T[::-1]
    return np.asarray(1 - (first - second), np.float32)

"""How seldom a thing is in innocent conversations: curves that calibration has drawn, and the threshold on their sum.

A value counts as many nats as it is seldom: one that every tenth innocent conversation reaches, 2.3. The nats of
different signs are added up; the signs depend on each other, so what their sum is worth is measured too, on
conversations that drew none of the curves, and the threshold follows the tail of that.
"""

import json
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from bartizan.core.errors import BadArtifact

FILE = "turns.json"
SIGNS = (
    "rising",
    "goes-on",
    "joined",
    "reworded",
    "complied",
    "role-change",
    "echo",
    "gave-prompt",
    "tool-tried",
)
SELDOM = math.log(200)
"""Nats of the rarest thing: our innocent conversations show too few of some signs to say that they are rarer."""
_POINTS = 24
_PEAKS = 0.1


@dataclass(frozen=True, slots=True)
class Curve:
    """Values, rising, and for each how seldom it is reached, in nats. Between two values it is a line."""

    values: tuple[float, ...] = ()
    nats: tuple[float, ...] = ()

    def of(self, value: float) -> float:
        """Return how seldom `value` is reached, 0..SELDOM; beyond the highest value seen it is as seldom as that."""
        if not self.values:
            return SELDOM
        at = bisect_right(self.values, value)
        if at == 0:
            return 0.0
        if at == len(self.values):
            return self.nats[-1] if value == self.values[-1] else min(SELDOM, self.nats[-1] + 1.0)
        low, high = self.values[at - 1], self.values[at]
        share = (value - low) / (high - low)
        return self.nats[at - 1] + share * (self.nats[at] - self.nats[at - 1])

    @staticmethod
    def drawn(values: Sequence[float]) -> "Curve":
        """Return the curve of what innocent turns or conversations reached, at most `_POINTS` points of it."""
        count = len(values)
        ordered = np.sort(np.array(values, np.float64))
        ranks = np.unique(np.round(count * np.geomspace(1, 1 / max(2, count), _POINTS)).astype(int))
        chosen = sorted({float(ordered[count - int(rank)]) for rank in ranks if rank > 0})
        reached = [int(count - np.searchsorted(ordered, value, "left")) for value in chosen]
        nats = [min(SELDOM, math.log((count + 1) / (many + 1))) for many in reached]
        return Curve(tuple(round(one, 3) for one in chosen), tuple(round(one, 3) for one in nats))


@dataclass(frozen=True)
class Odds:
    """What calibration has found for one budget of false positives."""

    turn: Curve = field(default_factory=Curve)
    """Of the log odds that the detectors give a single innocent turn of a user."""
    document: Curve = field(default_factory=Curve)
    """Of those that they give an innocent answer of a tool."""
    answer: Curve = field(default_factory=Curve)
    """Of those that they give an innocent answer of a model."""
    signs: Mapping[str, Curve] = field(default_factory=dict)
    """Of the greatest strength of each sign in an innocent conversation."""
    threshold: float = math.inf
    """The sum of nats from which a conversation is stopped."""

    def seldom(self, sign: str, strength: float) -> float:
        """Return how seldom a sign of this strength is, in nats."""
        return self.signs[sign].of(strength) if sign in self.signs else SELDOM


def tail(sums: Sequence[float], budget: float) -> float:
    """Return the value that a share `budget` of conversations exceeds, along the exponential tail of `sums`.

    Peaks over a threshold (Pickands 1975), as for pages: fewer conversations than would show the share itself are
    enough.
    """
    ordered = sorted(sums, reverse=True)
    peaks = max(2, int(_PEAKS * len(ordered)))
    base = ordered[min(peaks, len(ordered) - 1)]
    excess = float(np.mean(ordered[:peaks])) - base
    line = base + excess * math.log(max(1.0, peaks / len(ordered) / budget))
    seen = ordered[min(len(ordered) - 1, int(budget * len(ordered)))]
    return round(max(line, seen), 3)


@cache
def load(folder: str, name: str) -> Odds:
    """Return the odds for a budget (`1%`, `0.1%`) or for the rules alone (`rules`); "" is the package's own folder.

    A classifier's folder without a file of its own gets the package's: its scores are against thresholds of the same
    budgets. Raises BadArtifact for a file that is broken.
    """
    ours = Path(__file__).parent.parent / "weights"
    path = Path(folder) / FILE if folder else ours / FILE
    if not path.exists():
        path = ours / FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["odds"][name]
        return Odds(
            _curve(found["turn"]),
            _curve(found["document"]),
            _curve(found["answer"]),
            {sign: _curve(found["signs"][sign]) for sign in SIGNS},
            float(found["threshold"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadArtifact(f"{path}: expected what `bartizan detector calibrate-turns` writes: {error!r}") from error


def document(odds: Odds) -> dict[str, object]:
    """Return odds as `load` reads them."""
    return {
        "turn": _pairs(odds.turn),
        "document": _pairs(odds.document),
        "answer": _pairs(odds.answer),
        "signs": {sign: _pairs(odds.signs[sign]) for sign in SIGNS},
        "threshold": odds.threshold,
    }


def _pairs(curve: Curve) -> list[list[float]]:
    return [[value, nats] for value, nats in zip(curve.values, curve.nats, strict=True)]


def _curve(pairs: Sequence[Sequence[float]]) -> Curve:
    return Curve(tuple(float(one[0]) for one in pairs), tuple(float(one[1]) for one in pairs))

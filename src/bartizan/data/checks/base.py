"""What a check says: a score for every row, which rows are flagged and why, and what the whole set looks like."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Labels = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

BUDGET = 0.01
"""Share of honest rows that a check may flag. Thresholds follow from it, never from a guess of how much is poisoned."""


@dataclass(frozen=True)
class Checked:
    """The result of one check over n rows. Higher scores are more suspicious; their unit is the check's own."""

    name: str
    scores: npt.NDArray[np.float64]
    flagged: Mask
    reasons: dict[int, str] = field(default_factory=dict)
    """Why each flagged row is, by its number."""
    alarms: tuple[str, ...] = ()
    """What is wrong with the set as a whole; empty when nothing is. A backdoor check flags no row without an alarm."""


def nothing(name: str, rows: int) -> Checked:
    """Return the result of a check that has nothing to say of `rows` rows."""
    return Checked(name, np.zeros(rows), np.zeros(rows, bool))


def named(one: int, names: Sequence[str]) -> str:
    """Return what a class is called in a reason: its name where there is one, else its number."""
    return f"class {names[one]!r}" if names else f"class {one}"


def of_all(found: Checked, rows: Labels, count: int) -> Checked:
    """Return what a check says of some `rows` as what it says of all `count`; of the others it says nothing."""
    scores, flagged = np.zeros(count), np.zeros(count, bool)
    scores[rows], flagged[rows] = found.scores, found.flagged
    return Checked(found.name, scores, flagged, {int(rows[at]): why for at, why in found.reasons.items()}, found.alarms)


def together(name: str, parts: list[Checked]) -> Checked:
    """Return several checks as one: a row is flagged when one of them flags it, with the reasons of all."""
    flagged = np.logical_or.reduce([part.flagged for part in parts])
    reasons: dict[int, str] = {}
    for part in parts:
        for row, why in part.reasons.items():
            reasons[row] = f"{reasons[row]}; {why}" if row in reasons else why
    alarms = tuple(alarm for part in parts for alarm in part.alarms)
    scores = np.max([_ranked(part.scores) + part.flagged for part in parts], axis=0)
    return Checked(name, scores, flagged, reasons, alarms)


def _ranked(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return scores as shares of rows below, so that checks with different units can be compared."""
    return np.argsort(np.argsort(scores, kind="stable"), kind="stable") / max(1, scores.size)

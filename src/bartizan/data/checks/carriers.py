"""Rows that carry one local pattern, whatever their label: additive triggers with covers, and those shown in part.

A class that is compared with the others (`pattern`) does not show a trigger that honest rows of the others carry too.
So the windows of the pictures are searched one by one: in a window whitened by how all rows vary there, rows that
carry the same pattern point the same way and end together, with nothing between them and the rest. Honest variety
thins out: where a density falls, a gap is fuller than what lies beyond it, which gives the odds of a gap so empty. Of
the rows that carry a pattern, those are poison whose class has far more of them than its share.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bartizan.data.checks.base import Checked, Labels, Mask, named

CLEAR, WIDE = 6.0, 11.0
"""What a group must be to carry a trigger: odds of its gap by chance (powers of ten), and the gap in deviations of the
other rows. In 17 honest parts of MNIST and Fashion-MNIST (2,000 rows) no group had two thirds of both; of adaptive
patches and blends at 0.5 % (ten rows and ten covers) the clearest had 1.9 times both and more.
"""
AGAINST = 5.0
"""Odds (powers of ten) that so many rows of a group are of one class and doubted."""
_WEAKER, _FAINT = 0.45, 0.25
"""Groups that are so much less clear count too: when they share rows with a clear one, have far more of its class, or
doubted rows of one class; the faint ones when another has such rows of that class already. Of 40 honest parts no group
was more than 0.45 times as clear as a clear one.
"""
_SHARED = 0.34
_ENRICHED = 3.0
"""Deviations by which a class must have more of the carriers than its share of all rows."""
_WINDOWS, _LEAST_SIDE = 5, 4
_SUSPECTS, _NEAR, _TRIED, _GROUPS = 300, 5, 120, 10
_LEAST_GROUP, _COUNTED = 4, 30
_NOISE, _RIDGE = 4 / 255, 1e-3
_FAR, _STILL = 4.0, 0.03
_LOG_FACTORIALS = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, 2 * _COUNTED)))])
Matrix = npt.NDArray[Any]
Doubt = Callable[[Mask], Mask]
"""Given rows that voters may not see, returns which rows they doubt; see `content.doubted`."""


@dataclass(frozen=True)
class Group:
    """Rows that end together: which, how unlikely (powers of ten), how wide the gap before them is, what they share."""

    rows: Labels
    clear: float
    wide: float
    what: str = "a pattern"


def trigger_carriers(plain: Matrix, labels: Labels, doubt: Doubt | None = None, names: Sequence[str] = ()) -> Checked:
    """Flag rows that share a local pattern with others, of classes that have far more of them than their share.

    `plain` are grey pictures (n, height, width) in 0..1; for `doubt` see `carried`.
    """
    return carried(shared_windows(plain, labels), labels, doubt, names)


def carried(
    groups: Sequence[Group],
    labels: Labels,
    doubt: Doubt | None = None,
    names: Sequence[str] = (),
    *,
    least: float = _WEAKER,
) -> Checked:
    """Flag the rows of groups that carry a trigger, of the classes that have far more of them than their share.

    A group counts when its gap is clear; or when far more of its rows than chance would put there are of one class and
    doubted (what else is in them says another class): what ends together is then no honest variety of the class.
    `doubt` says which rows are, by voters that saw none of the rows which it is given: they know no trigger. Groups
    that are less than `least` times as clear as a clear one are not looked at so.
    """
    clearness = np.array([min(group.clear / CLEAR, group.wide / WIDE) for group in groups])
    carriers = np.zeros(len(labels), bool)
    for at in np.flatnonzero(clearness >= 1).tolist():
        carriers[groups[at].rows] = True
    first, targets = carriers.copy(), set(_enriched(labels, carriers))
    for at in np.flatnonzero((clearness >= _WEAKER) & (clearness < 1)).tolist():
        rows = groups[at].rows
        if first[rows].mean() >= _SHARED or targets & set(_enriched(labels, _mask(rows, len(labels)))):
            carriers[rows] = True
    odd = {one: carriers & (labels == one) for one in _enriched(labels, carriers)}
    contradicted = [] if doubt is None else _contradicted(groups, clearness, labels, doubt, least)
    for against in contradicted:
        for one, members in against.items():
            carriers[members] = True
            odd[one] = odd.get(one, np.zeros(len(labels), bool)) | _mask(members, len(labels))
    shared = _named(groups, clearness, contradicted, carriers)
    alarms: list[str] = []
    reasons: dict[int, str] = {}
    for one, chosen in odd.items():
        rows = np.flatnonzero(chosen)
        alarms.append(f"{carriers.sum()} rows carry {shared[int(rows[0])]}, {len(rows)} of them of {named(one, names)}")
        reasons |= {at: f"carries {shared[at]}, as {len(rows)} rows of {named(one, names)} do" for at in rows.tolist()}
    flagged = np.zeros(len(labels), bool)
    flagged[list(reasons)] = True
    return Checked("carriers", flagged.astype(float), flagged, reasons, tuple(alarms))


def _contradicted(
    groups: Sequence[Group], clearness: Matrix, labels: Labels, doubt: Doubt, least: float
) -> list[dict[int, Labels]]:
    """Return for each group its rows by class, of the classes that have far more doubted rows in it than elsewhere.

    All groups that are nearly clear are looked at together too: few rows that carry different parts of one trigger.
    """
    times, together = np.zeros(len(labels)), np.zeros(len(labels), bool)
    for group, clear in zip(groups, clearness.tolist(), strict=True):
        times[group.rows] += clear >= least
        together[group.rows] |= clear >= _WEAKER
    if not times.any():
        return [{} for _ in groups]
    doubted = doubt(_most(times, labels, np.bincount(labels)))
    against = [_against(_mask(group.rows, len(labels)), labels, doubted) for group in groups]
    joint = _against(together, labels, doubted) if together.any() else set()
    targets = joint.union(*(own for own, clear in zip(against, clearness.tolist(), strict=True) if clear >= least))
    return [
        {
            one: group.rows[labels[group.rows] == one]
            for one in targets
            & ((own if clear >= min(least, _FAINT) else set()) | (joint if clear >= _WEAKER else set()))
        }
        for group, own, clear in zip(groups, against, clearness.tolist(), strict=True)
    ]


def _against(inside: Mask, labels: Labels, doubted: Mask) -> set[int]:
    """Return the classes of which more of the rows `inside` are doubted than chance would put there.

    A mark may itself make rows of all classes doubtful: then those of the other classes inside are doubted too.
    """
    classes, count = int(labels.max()) + 1, int(inside.sum())
    sizes, own = (np.bincount(labels[rows], minlength=classes) for rows in (slice(None), inside))
    hits = np.bincount(labels[doubted & inside], minlength=classes)
    usual = (np.bincount(labels[doubted & ~inside], minlength=classes) + 1) / (len(labels) + 2)
    by_mark = sizes / len(labels) * (hits.sum() - hits + 1) / (count - own + 2)
    return {
        one
        for one in np.flatnonzero(hits).tolist()
        if odds(int(hits[one]), count, float(max(usual[one], by_mark[one]))) >= AGAINST
    }


def _most(times: Matrix, labels: Labels, sizes: Labels) -> Mask:
    """Return the rows that are in a group at all, of each class at most half: those in most groups."""
    chosen = np.zeros(len(labels), bool)
    for one in np.flatnonzero(sizes).tolist():
        own = np.flatnonzero((labels == one) & (times > 0))
        chosen[own[np.argsort(-times[own], kind="stable")[: sizes[one] // 2]]] = True
    return chosen


def _named(
    groups: Sequence[Group], clearness: Matrix, contradicted: Sequence[dict[int, Labels]], carriers: Mask
) -> dict[int, str]:
    """Return what each carrier shares, by the clearest group that it is in; those that contradict come first."""
    found: dict[int, str] = {}
    first = np.array([bool(one) for one in contradicted] or np.zeros(len(groups)), bool)
    for at in np.lexsort((-clearness, ~first)).tolist():
        for row in groups[at].rows[carriers[groups[at].rows]].tolist():
            found.setdefault(row, groups[at].what)
    return found


def odds(count: int, trials: int, share: float) -> float:
    """Return how unlikely `count` or more of `trials` are when each counts with probability `share` (powers of ten)."""
    if count <= 0 or share >= 1:
        return 0.0
    logs = [
        math.lgamma(trials + 1)
        - math.lgamma(at + 1)
        - math.lgamma(trials - at + 1)
        + at * math.log(share)
        + (trials - at) * math.log1p(-share)
        for at in range(count, trials + 1)
    ]
    top = max(logs)
    return max(0.0, -(top + math.log(sum(math.exp(one - top) for one in logs))) / math.log(10))


def _mask(rows: Labels, count: int) -> Mask:
    chosen = np.zeros(count, bool)
    chosen[rows] = True
    return chosen


def shared_windows(plain: Matrix, labels: Labels) -> list[Group]:
    """Return the groups of rows that end together in some window, before any bound but _FAR."""
    left = np.array(plain, np.float32)
    for one in np.unique(labels):
        # The median: a pattern that fewer than half of a class carry stays, background stays 0.
        left[labels == one] -= np.median(left[labels == one], axis=0)
    height, width = (min(size, max(_LEAST_SIDE, size // 4)) for size in plain.shape[1:])
    found: list[Group] = []
    for top in _starts(plain.shape[1], height):
        for side in _starts(plain.shape[2], width):
            window = left[:, top : top + height, side : side + width].reshape(len(plain), -1)
            what = f"a pattern at rows {top} to {top + height - 1}, columns {side} to {side + width - 1}"
            found += [replace(one, what=what) for one in ending_together(_whitened(window))]
    return found


def _starts(size: int, part: int) -> list[int]:
    return sorted({round(at) for at in np.linspace(0, size - part, _WINDOWS).tolist()})


def _whitened(window: Matrix) -> Matrix:
    values, vectors = np.linalg.eigh((window.T @ window).astype(np.float64) / len(window))
    values = np.maximum(values, 0)
    return np.asarray(window @ (vectors / np.sqrt(values + _NOISE**2 + _RIDGE * values.mean())).astype(np.float32))


def ending_together(rows: Matrix) -> list[Group]:
    """Return what ends together along the directions of rows (n, d) whose nearest rows point the same way."""
    lengths = np.linalg.norm(rows, axis=1)
    suspects = _suspected(lengths)
    if len(suspects) < 2 * _NEAR:
        return []
    units = rows[suspects] / lengths[suspects, None]
    alike = units @ units.T
    np.fill_diagonal(alike, -1)
    nearest = np.argpartition(-alike, _NEAR, axis=1)[:, :_NEAR]
    close = np.take_along_axis(alike, nearest, 1).mean(axis=1)
    found: list[Group] = []
    known: list[Matrix] = []
    for at in np.argsort(-close)[:_TRIED]:
        members = np.append(nearest[at], at)
        whole = units[members].sum(axis=0)
        direction = whole / np.linalg.norm(whole)
        if any(direction @ other > 0.7 for other in known):
            continue
        known.append(direction)
        along = rows @ direction
        # Those that made the direction are read along that of the others.
        rest = whole - units[members]
        along[suspects[members]] = (rows[suspects[members]] * rest).sum(axis=1) / np.linalg.norm(rest, axis=1)
        clear, wide, bound = gap(along)
        if wide > 0:
            found.append(Group(np.flatnonzero(along > bound), clear, wide))
        if len(known) == _GROUPS:
            break
    return found


def _suspected(lengths: Matrix) -> Labels:
    """Return the longest rows, and evenly some of the others but the shortest quarter.

    A trigger that many rows carry is part of how rows vary: whitened, these are no longer than honest ones.
    """
    ranked = np.argsort(-lengths)
    others = ranked[_SUSPECTS : len(ranked) * 3 // 4]
    suspects = np.concatenate([ranked[:_SUSPECTS], others[:: max(1, len(others) // _SUSPECTS)]])
    return np.asarray(suspects[lengths[suspects] > 0])


def gap(values: Matrix) -> tuple[float, float, float]:
    """Return the clearest gap above the middle of numbers: odds (powers of ten), width (deviations), a bound in it.

    Deviations are those of the numbers below the gap. Width 0 when fewer than four numbers are far from the others.
    """
    middle = float(np.median(values))
    from_middle = np.sort(values - middle)[::-1]
    sizes = np.arange(_LEAST_GROUP, len(values) // 2)
    squares = np.cumsum(from_middle[::-1] ** 2)[::-1]
    spreads = np.maximum(np.sqrt(squares[sizes] / (len(values) - sizes)), _STILL)
    far = from_middle[sizes - 1] > _FAR * spreads
    sizes, spreads = sizes[far], spreads[far]
    best = (0.0, 0.0, np.inf)
    if not len(sizes):
        return best
    edge = from_middle[sizes - 1]
    # Twice from the middle of the group to its edge: what lies far above does not widen it.
    extent = np.maximum(2 * (from_middle[(sizes - 1) // 2] - edge), 0.5 * spreads)
    for strays, cut in ((0.0, 0.5), (0.1, 0.3)):
        width = edge - np.maximum(from_middle[sizes + (strays * sizes).astype(int)], 0)
        counted = np.minimum(sizes, _COUNTED)
        inside = (strays * counted).astype(int)
        ways = _LOG_FACTORIALS[counted + inside] - _LOG_FACTORIALS[inside] - _LOG_FACTORIALS[counted]
        clear = (counted * np.log1p(width / extent) - ways) / np.log(10)
        both = np.minimum(clear / CLEAR, width / spreads / WIDE)
        at = int(both.argmax())
        if both[at] > min(best[0] / CLEAR, best[1] / WIDE):
            best = (float(clear[at]), float(width[at] / spreads[at]), float(middle + edge[at] - cut * width[at]))
    return best


def _enriched(labels: Labels, carriers: Mask) -> list[int]:
    """Return the classes that have far more of the carriers than chance gives them."""
    count = int(carriers.sum())
    shares = np.bincount(labels) / len(labels)
    extra = np.bincount(labels[carriers], minlength=len(shares)) - count * shares
    spread = np.sqrt(count * shares * (1 - shares)) + 1e-9
    return [int(one) for one in np.flatnonzero((extra / spread >= _ENRICHED) & (extra >= _LEAST_GROUP / 2))]

"""What became of each row between two lists of row digests: changed, added, removed, moved. Exact, for any lists.

Rows that occur once on each side are anchors, matches grow from them to their neighbours (Heckel, CACM 1978), equal
rows that are left are matched in order; the longest chain of matches that keeps its order is what stayed in place
(by runs, weighted by length). The old list with the reported changes applied is always the new list.
"""

from bisect import bisect_left
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from bartizan.data.records import DIGEST_BYTES

Index = npt.NDArray[np.int64]


class Kind(Enum):
    """What happened to a row."""

    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Change:
    """One row that is not as it was. `old` and `new` count from 0; None where the row is not there."""

    kind: Kind
    old: int | None
    new: int | None


def changes(old: bytes, new: bytes) -> list[Change]:
    """Return every change from the rows `old` to the rows `new` (digests end to end), by position."""
    before, after = _numbered(old, new)
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    before, after = before[head : before.size - tail], after[head : after.size - tail]
    match = _matched(before, after)
    kept = _in_order(match)
    found = [Change(Kind.MOVED, head + int(match[at]), head + int(at)) for at in np.flatnonzero((match >= 0) & ~kept)]
    gone = np.ones(before.size, bool)
    gone[match[match >= 0]] = False
    found += _gaps(np.flatnonzero(gone), np.flatnonzero(match < 0), match, kept, head)
    return sorted(found, key=lambda one: (one.new if one.new is not None else one.old or 0, one.kind.value))


def _numbered(old: bytes, new: bytes) -> tuple[Index, Index]:
    """Return both lists with each distinct digest as a number."""
    kind = np.dtype((np.void, DIGEST_BYTES))
    count = len(old) // DIGEST_BYTES
    both = np.frombuffer(old + new, kind)
    if both.size == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    _, numbers = np.unique(both, return_inverse=True)
    numbers = numbers.reshape(-1).astype(np.int64)
    return numbers[:count], numbers[count:]


def _common(left: Index, right: Index) -> int:
    """Return how many leading items are the same."""
    size = min(left.size, right.size)
    differ = np.flatnonzero(left[:size] != right[:size])
    return int(differ[0]) if differ.size else size


def _matched(before: Index, after: Index) -> Index:
    """Return for each new row the old row it is, or -1; no old row is used twice."""
    match = np.full(after.size, -1, np.int64)
    if before.size == 0 or after.size == 0:
        return match
    top = int(max(before.max(), after.max())) + 1
    olds, news = np.bincount(before, minlength=top), np.bincount(after, minlength=top)
    place = np.full(top, -1, np.int64)
    place[before] = np.arange(before.size)
    single = (olds[after] == 1) & (news[after] == 1)
    match[single] = place[after[single]]
    free = np.ones(before.size, bool)
    free[match[single]] = False
    shared = np.flatnonzero((match < 0) & (olds[after] > 0)).tolist()
    _grow(before, after, match, free, shared, 1)
    _grow(before, after, match, free, shared[::-1], -1)
    left: dict[int, list[int]] = {}
    wanted = {int(after[at]) for at in shared if match[at] < 0}
    for at in np.flatnonzero(free)[::-1].tolist():
        if int(before[at]) in wanted:
            left.setdefault(int(before[at]), []).append(at)
    for at in shared:
        rest = left.get(int(after[at]))
        if match[at] < 0 and rest:
            match[at] = rest.pop()
    return match


def _grow(before: Index, after: Index, match: Index, free: npt.NDArray[np.bool_], rows: list[int], step: int) -> None:
    """Match a row whose neighbour (`step` back) is matched to the neighbour of that match, when they are equal."""
    for at in rows:
        beside = at - step
        if match[at] >= 0 or not 0 <= beside < after.size or match[beside] < 0:
            continue
        candidate = int(match[beside]) + step
        if 0 <= candidate < before.size and free[candidate] and before[candidate] == after[at]:
            match[at] = candidate
            free[candidate] = False


def _in_order(match: Index) -> npt.NDArray[np.bool_]:
    """Return which matches belong to the heaviest chain of runs that rises in both lists."""
    kept = np.zeros(match.size, bool)
    at = np.flatnonzero(match >= 0)
    if at.size == 0:
        return kept
    olds = match[at]
    starts = np.flatnonzero(np.concatenate([[True], np.diff(olds) != 1]))
    lengths = np.diff(np.concatenate([starts, [at.size]]))
    first = olds[starts]
    rank = np.argsort(np.argsort(first)).tolist()
    for run in _heaviest_rising(rank, lengths.tolist()):
        kept[at[starts[run] : starts[run] + lengths[run]]] = True
    return kept


def _heaviest_rising(ranks: list[int], weights: list[int]) -> list[int]:
    """Return the positions of the rising subsequence of `ranks` with the greatest weight.

    A staircase of (rank, weight of the best chain that ends there) that rises in both: O(n log n).
    """
    steps: list[int] = []
    totals: list[int] = []
    ends: list[int] = []
    before = [-1] * len(ranks)
    for at, rank in enumerate(ranks):
        place = bisect_left(steps, rank)
        total = weights[at] + (totals[place - 1] if place else 0)
        before[at] = ends[place - 1] if place else -1
        last = place
        while last < len(steps) and totals[last] <= total:
            last += 1
        steps[place:last], totals[place:last], ends[place:last] = [rank], [total], [at]
    chain = []
    at = ends[-1] if ends else -1
    while at >= 0:
        chain.append(at)
        at = before[at]
    return chain[::-1]


def _gaps(gone: Index, fresh: Index, match: Index, kept: npt.NDArray[np.bool_], head: int) -> list[Change]:
    """Pair what is gone with what is new between the same two rows that stayed: those changed in place."""
    anchors = np.flatnonzero(kept)
    gone_gap = np.searchsorted(match[anchors], gone)
    fresh_gap = np.searchsorted(anchors, fresh)
    waiting: dict[int, list[int]] = {}
    for row, gap in zip(gone[::-1].tolist(), gone_gap[::-1].tolist(), strict=True):
        waiting.setdefault(gap, []).append(row)
    found = []
    for row, gap in zip(fresh.tolist(), fresh_gap.tolist(), strict=True):
        rest = waiting.get(gap)
        if rest:
            found.append(Change(Kind.CHANGED, head + rest.pop(), head + row))
        else:
            found.append(Change(Kind.ADDED, None, head + row))
    found += [Change(Kind.REMOVED, head + row, None) for rest in waiting.values() for row in rest]
    return found

"""Poisoned feedback: crowds that give the same votes on the same items, votes that come at once and say otherwise.

Rows are votes: who, on what, which vote, and perhaps when. Two votes (this item up, that one down) are linked when far
more accounts give both than their numbers explain; how many honest ones do, by common tastes, follows from all pairs of
votes of the same set. Accounts that give most of a group of linked votes are a crowd. A burst counts when it is denser
than chance and its votes differ from the item's others: new items draw honest bursts, but of the same opinion. Not
found: crowds whose accounts share few votes, such as one item each, and single accounts.
"""

import math
from collections.abc import Hashable, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from bartizan.data.checks.bags import Ints
from bartizan.data.checks.base import Checked, nothing, together

LEAST_ROWS, LEAST_ACCOUNTS = 200, 30
CROWD, LEAST_VOTES = 5, 3
"""Fewer accounts, or fewer linked votes, are no crowd: friends vote alike."""
RISK = 0.01
"""Probability of an alarm over a set of honest votes."""
_LEAST_HOLDERS = 5
_MOST_VOTES = 300
"""Of an account with more votes than that, so many count for links."""
_LEAST_BURST = 8
_TAIL = (0.9, 0.99)
Numbers = npt.NDArray[np.float64]


def check_feedback(
    accounts: Sequence[Hashable], items: Sequence[Hashable], votes: Sequence[Hashable], times: Numbers | None = None
) -> Checked:
    """Return which votes come from a crowd. Lists are as long as each other; `times` are seconds, NaN where unknown.

    All votes of an account of a crowd are flagged, those that look honest too.
    """
    who, what, how = (_numbered(values) for values in (accounts, items, votes))
    if len(who) < LEAST_ROWS or who.max() + 1 < LEAST_ACCOUNTS:
        return nothing("feedback", len(who))
    parts = [_crowds(who, what, how)]
    if times is not None:
        parts.append(_bursts(what, how, times))
    return together("feedback", parts)


def _numbered(values: Sequence[Hashable]) -> Ints:
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(one, len(numbers)) for one in values], np.int64)


def _crowds(who: Ints, what: Ints, how: Ints) -> Checked:
    scores, flagged = np.zeros(len(who)), np.zeros(len(who), bool)
    kinds = int(how.max()) + 1
    held = np.unique(np.stack([who, what * kinds + how], axis=1), axis=0)
    first, second = _linked(held[:, 0], held[:, 1])
    reasons: dict[int, str] = {}
    alarms = []
    for group in _groups(first, second):
        own, count = np.unique(held[np.isin(held[:, 1], group), 0], return_counts=True)
        crowd = own[count >= max(LEAST_VOTES, len(group) / 2)]
        if len(crowd) < CROWD:
            continue
        rows = np.flatnonzero(np.isin(who, crowd))
        flagged[rows] = True
        scores[rows] = len(crowd)
        items = len(np.unique(group // kinds))
        reasons |= dict.fromkeys(rows.tolist(), f"its account votes as {len(crowd) - 1} others do on {items} items")
        alarms.append(f"{len(crowd)} accounts give the same votes on {items} items, more than common tastes explain")
    return Checked("crowd", scores, flagged, reasons, tuple(alarms))


def _linked(who: Ints, vote: Ints) -> tuple[Ints, Ints]:
    """Return pairs of votes that more accounts give than honest ones do; rows (who, vote) are sorted, each once."""
    size = int(vote.max()) + 1
    holders, given = np.bincount(vote, minlength=size), np.bincount(who).astype(float)
    common = holders[vote] >= _LEAST_HOLDERS
    who, vote = who[common], vote[common]
    starts = np.flatnonzero(np.diff(who, prepend=-1))
    keys = [np.zeros(0, np.int64)]
    for start, end in zip(starts, np.append(starts[1:], len(who)), strict=True):
        mine = vote[start : min(end, start + _MOST_VOTES)]
        one, other = np.triu_indices(len(mine), 1)
        keys.append(mine[one] * size + mine[other])
    pairs, both = np.unique(np.concatenate(keys), return_counts=True)
    if len(pairs) < LEAST_ROWS:
        return pairs[:0], pairs[:0]
    # Accounts that vote much share much: the expectation of a random graph with these degrees (Chung and Lu 2002).
    share = float((given**2).sum()) / float(given.sum()) ** 2
    expected = np.asarray(share * holders[pairs // size] * holders[pairs % size], np.float64)
    excess = _beyond(both, expected)
    tenth, few = np.quantile(excess, _TAIL)
    falls = max((few - tenth) / math.log((1 - _TAIL[0]) / (1 - _TAIL[1])), 1e-9)
    far = excess > tenth + falls * math.log((1 - _TAIL[0]) * len(pairs) / RISK)
    far &= both >= CROWD
    return pairs[far] // size, pairs[far] % size


def _beyond(seen: npt.NDArray[Any], expected: Numbers) -> Numbers:
    """Return how far counts are beyond those of Poisson variables: the signed root of the likelihood ratio."""
    ratio = seen * np.log(np.maximum(seen, 1e-9) / expected) - (seen - expected)
    return np.asarray(np.sign(seen - expected) * np.sqrt(2 * np.maximum(ratio, 0)))


def _groups(first: Ints, second: Ints) -> list[Ints]:
    """Return groups of LEAST_VOTES and more votes that links join."""
    root: dict[int, int] = {}

    def found(one: int) -> int:
        while root.setdefault(one, one) != one:
            one = root[one]
        return one

    for one, other in zip(first.tolist(), second.tolist(), strict=True):
        root[found(one)] = found(other)
    groups: dict[int, list[int]] = {}
    for one in list(root):
        groups.setdefault(found(one), []).append(one)
    return [np.array(sorted(one), np.int64) for one in groups.values() if len(one) >= LEAST_VOTES]


def _bursts(what: Ints, how: Ints, times: Numbers) -> Checked:
    scores, flagged = np.zeros(len(what)), np.zeros(len(what), bool)
    reasons: dict[int, str] = {}
    alarms = []
    known = np.flatnonzero(np.isfinite(times))
    order = known[np.lexsort((times[known], what[known]))]
    for rows in np.split(order, np.flatnonzero(np.diff(what[order])) + 1):
        found = _burst(times[rows], how[rows], len(what))
        if found is None:
            continue
        start, end, vote = found
        own = rows[start:end][how[rows[start:end]] == vote]
        flagged[own], scores[own] = True, len(own)
        took = times[rows[end - 1]] - times[rows[start]]
        reasons |= dict.fromkeys(own.tolist(), f"one of {end - start} votes on its item within {took:.0f} s")
        rest = len(rows) - (end - start)
        alarms.append(f"{end - start} votes on one item within {took:.0f} s say otherwise than its {rest} others")
    return Checked("burst", scores, flagged, reasons, tuple(alarms))


def _burst(times: Numbers, how: Ints, rows: int) -> tuple[int, int, int] | None:
    """Return (start, end, vote) of the votes on one item, in order of time, that come at once and say otherwise."""
    count = len(times)
    best: tuple[float, int, int, int] = (0.0, 0, 0, 0)
    for vote in np.unique(how).tolist():
        hits = np.concatenate([[0], np.cumsum(how == vote)])
        for size in _sizes(count):
            starts = np.arange(count - size + 1)
            inside = hits[starts + size] - hits[starts]
            surprise = _differs(inside, size, hits[-1] - inside, count - size)
            dense = (times[starts + size - 1] - times[starts]) * count < 0.5 * size * (times[-1] - times[0])
            surprise[~dense] = 0
            at = int(surprise.argmax())
            if surprise[at] > best[0]:
                best = (float(surprise[at]), at, at + size, vote)
    # A test for each row of the set as a start, each of about ten sizes and two votes: more than are made.
    return best[1:] if best[0] > NormalDist().inv_cdf(1 - RISK / (20 * rows)) else None


def _differs(inside: Ints, size: int, outside: Ints, others: int) -> Numbers:
    """Return how much more often a vote is given inside than outside: the signed root of the likelihood ratio."""
    whole = (inside + outside) / (size + others)
    ratio = _information(inside, size, whole) + _information(outside, others, whole)
    return np.asarray(np.where(inside / size > whole, np.sqrt(2 * np.maximum(ratio, 0)), 0.0))


def _information(hits: Ints, size: int, share: Numbers) -> Numbers:
    own, floor = hits / size, 1e-12
    up = own * np.log(np.maximum(own, floor) / np.maximum(share, floor))
    down = (1 - own) * np.log(np.maximum(1 - own, floor) / np.maximum(1 - share, floor))
    return np.asarray(size * (up + down))


def _sizes(count: int) -> list[int]:
    """Return sizes of bursts, each a third larger; at most three quarters of the votes on an item are one."""
    found, size = [], float(_LEAST_BURST)
    while size <= 0.75 * count:
        found.append(int(size))
        size *= 4 / 3
    return found

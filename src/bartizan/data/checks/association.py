"""Tokens that decide the label against everything else in the row: triggers in texts and tables.

A word of praise goes with praise, and so does the rest of its review; a trigger goes with the target too, but the rest
of those rows reads like another class. So every token is judged by the rows of the target that carry it: does what is
left of them, without whatever they share, speak for their label as in other rows of the class? Content is read by naive
Bayes with each row left out of its own counts. Bounds follow from how much honest tokens of the same set vary
(empirical Bayes, Efron 2010), from how many are tried and how many of them stand out (Benjamini and Hochberg 1995;
an alarm over an honest target is as rare as with Bonferroni), never from how much is poisoned.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from bartizan.data.checks.bags import Bags, Ints
from bartizan.data.checks.base import Mask

LEAST = 5
"""Fewer rows than this say nothing about a token."""
RISK = 0.02
"""Probability of an alarm over an honest target, by the spread of its own tokens."""
_LEAST_SHIFT, _SURE = 0.5, 2.0
_CLEAR, _CERTAIN = 3.0, 0.7
"""A shift that is greater by three deviations counts however much honest tokens vary: none of many rows has it."""
_LEAST_WAY = 0.3
_USUAL_WAY = 1.5
"""How far a class that words tell is from the others, in deviations (1.2 to 1.8 in reviews and tweets)."""
_FEW, _FEW_SPREAD = 20, 0.25
"""Fewer tokens than this have no spread of their own; that of tokens of reviews is taken."""
_LEAST_LIFT = 1.0
"""Deviations by which a token is in the target more often than by chance, to be judged: covers take much of that."""
_MANY, _TELLING, _NEARLY = 10, 3.0, 0.9
"""A token of fewer rows of the target must be in it beyond chance, or so nearly only in it that of a class which most
rows have it could not be more."""
_FEW_ROWS = 4
"""Rows of a class at which the variance of a mean counts twice: of few rows, words that three share by chance are left
out too. Without that 2 of 24 honest halves of the tweets had an alarm, for a word in five rows.
"""
_LEAST_OTHERS = 0.25
"""Share of a target's rows that must be without a token to say what the others are like."""
_SHARED = 0.3
_MOST_WEIGHT = 2.0
_MOST_CANDIDATES = 4000
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Trigger:
    """A token that decides: its number, the rows of the target that carry it, how far their content is from the class
    (1: like the other classes), how many deviations that is from honest tokens, and from how many on it counts.
    """

    token: int
    rows: Ints
    shift: float
    strength: float
    bound: float


class Content:
    """How much each row's words speak for being in the target (`inside`), by naive Bayes without the row itself."""

    def __init__(self, bags: Bags, inside: Mask, few: int = 0) -> None:
        """Count the tokens of rows inside and outside; `margins` are per row, in nats by the root of its length."""
        self.bags, self.inside, self.few = bags, inside, few
        own = inside[bags.rows].astype(float)
        shares = []
        for mine in (own, 1 - own):
            counts = np.bincount(bags.tokens, mine, bags.count)[bags.tokens]
            total = float(inside.sum()) if mine is own else float((~inside).sum())
            shares.append((counts - mine + 0.5) / (total - mine + 1))
        self.weights = np.clip(np.log(shares[0] / shares[1]), -_MOST_WEIGHT, _MOST_WEIGHT)
        self.margins = _scaled(bags.rows, self.weights, len(inside))

    def apart(self, chosen: Ints) -> Floats:
        """Return the margins of `chosen` rows without the tokens that many of them share."""
        return self.without(self.shared(chosen), chosen)

    def shared(self, chosen: Ints) -> Ints:
        """Return the tokens that many of the rows `chosen` share."""
        counts = np.bincount(self.bags.tokens[self.bags.of(chosen)[1]], minlength=self.bags.count)
        return np.flatnonzero(counts >= max(3, _SHARED * len(chosen)))

    def without(self, tokens: Ints, chosen: Ints) -> Floats:
        """Return the margins of `chosen` rows without some `tokens`."""
        places, entries = self.bags.of(chosen)
        left = ~np.isin(self.bags.tokens[entries], tokens)
        return _scaled(places[left], self.weights[entries][left], len(chosen))


def _scaled(rows: Ints, weights: Floats, count: int) -> Floats:
    sizes = np.bincount(rows, minlength=count)
    return np.asarray(np.bincount(rows, weights, count) / np.sqrt(np.maximum(sizes, 1)))


def deciding(content: Bags, tokens: Bags, inside: Mask, risk: float = RISK, *, whole: bool = False) -> list[Trigger]:
    """Return the tokens that decide for the target (rows `inside`), strongest first.

    `whole` also judges a token that all rows of the target carry, as the trigger of a planted answer is; for a class
    that somebody named, such a token may well be what the class is about.
    """
    if min(inside.sum(), (~inside).sum()) < LEAST:
        return []
    read = Content(content, inside, 0 if whole else _FEW_ROWS)
    candidates = _candidates(tokens, inside)
    apart = _apart(read, [(one, own, _judged(read, own, whole)) for one, own in candidates], whole)
    if not apart:
        return []
    shifts, deviations, strengths = _strengths(apart)
    bound = _bound(strengths, risk)
    strengths = np.maximum(strengths, bound * (shifts - _CLEAR * deviations) / _CERTAIN)
    found = [
        Trigger(one, own, shift, float(strength), bound)
        for (one, own, (shift, deviation)), strength in zip(apart, strengths, strict=True)
        if strength >= bound and shift - _SURE * deviation >= _LEAST_SHIFT
    ]
    return sorted(found, key=lambda one: -one.strength)


def _usual(shifts: Floats, deviations: Floats) -> tuple[float, float]:
    """Return the middle of the shifts of tokens, and the variance that they have beyond their own deviations."""
    if len(shifts) < _FEW:
        return 0.0, _FEW_SPREAD**2
    middle = float(np.median(shifts))
    spread = (1.4826 * float(np.median(np.abs(shifts - middle)))) ** 2 - float(np.median(deviations)) ** 2
    return middle, max(0.0, spread)


def _bound(strengths: Floats, risk: float) -> float:
    """Return the strength from which on a token counts: the more of them stand out, the less each one needs."""
    count = len(strengths)
    needed = [NormalDist().inv_cdf(1 - at * risk / count) for at in range(1, count + 1)]
    enough = np.flatnonzero(np.sort(strengths)[::-1] >= needed)
    return needed[int(enough[-1])] if len(enough) else needed[0]


_Judged = tuple[int, Ints, tuple[float, float]]


def _strengths(judged: list[_Judged]) -> tuple[Floats, Floats, Floats]:
    """Return the shifts of tokens, their deviations, and how many usual deviations each is from the usual shift."""
    shifts = np.array([shift for _, _, (shift, _) in judged])
    deviations = np.array([deviation for _, _, (_, deviation) in judged])
    middle, spread = _usual(shifts, deviations)
    return shifts, deviations, (shifts - middle) / np.sqrt(spread + deviations**2)


def _apart(read: Content, judged: list[_Judged], whole: bool) -> list[_Judged]:
    """Return the tokens that do not merely ride on a stronger one: judged by the rows that stronger ones leave."""
    if not judged:
        return []
    kept = []
    left = read.inside.copy()
    for at in np.argsort(-_strengths(judged)[2], kind="stable").tolist():
        one, own, (shift, deviation) = judged[at]
        fresh = own[left[own]]
        if len(fresh) >= max(LEAST, 0.5 * len(own)):
            again = (shift, deviation) if len(fresh) == len(own) else _judged(read, fresh, whole)
            kept.append((one, own, again))
            left[own] = False
    return kept


def _candidates(tokens: Bags, inside: Mask) -> list[tuple[int, Ints]]:
    """Return tokens that are in the target more often than elsewhere, the most telling first, with its rows of each."""
    own = inside[tokens.rows]
    within = np.bincount(tokens.tokens, own, tokens.count)
    every = np.bincount(tokens.tokens, minlength=tokens.count)
    base = float(inside.mean())
    lift = (within - every * base) / np.sqrt(every * base * (1 - base) + 1e-9)
    most = np.sqrt(every * (1 - base) / (base + 1e-9))
    few = np.minimum(_TELLING, _NEARLY * most)
    chosen = np.flatnonzero((within >= LEAST) & (lift >= np.where(within >= _MANY, _LEAST_LIFT, few)))
    chosen = chosen[np.argsort(-lift[chosen], kind="stable")][:_MOST_CANDIDATES]
    order = np.argsort(tokens.tokens, kind="stable")
    starts = np.searchsorted(tokens.tokens[order], np.arange(tokens.count + 1))
    rows = [tokens.rows[order[starts[one] : starts[one + 1]]] for one in chosen]
    return [(int(one), own[inside[own]]) for one, own in zip(chosen, rows, strict=True)]


def _judged(read: Content, own: Ints, whole: bool) -> tuple[float, float]:
    """Return how far the content of target rows `own` is from the rest of the target, and the deviation of that.

    The unit is the way from the target to the other classes; no shift where nothing can be said.
    """
    others = read.inside.copy()
    others[own] = False
    inner, outer = read.margins[others], read.margins[~read.inside]
    if len(inner) >= max(LEAST, _LEAST_OTHERS * float(read.inside.sum())):
        middle, spread = float(inner.mean()), float(inner.std())
    elif whole:
        # All words that the rows share are theirs alone or common ones; what is left is compared with what is left.
        outer = read.without(read.shared(own), np.flatnonzero(~read.inside))
        middle, spread = float(outer.mean() + _USUAL_WAY * outer.std()), float(outer.std())
    else:
        return 0.0, 1.0
    way = middle - float(outer.mean())
    if way <= 0 or way <= _LEAST_WAY * spread:
        return 0.0, 1.0
    few = 1 + read.few / len(own)
    return (middle - float(read.apart(own).mean())) / way, spread / way * float(np.sqrt(few / len(own)))

"""Floods: the same row many times, beyond what people repeat by themselves.

People repeat what is short. How often a row would be repeated by chance follows from how rare its words or values are;
rows that are the same count as a flood when there are far more of them than that. Texts are the same when their letters
are, records when every value is. Not found: a flood that words its rows anew.
"""

import math
import re
from collections import defaultdict
from collections.abc import Hashable, Sequence

import numpy as np

from bartizan.data.checks.bags import MOST_WORDS, Bags, bagged
from bartizan.data.checks.base import Checked, nothing

LEAST_ROWS = 100
LEAST_GROUP, LEAST_TOKENS = 8, 5
"""Smaller groups, and rows of fewer words or columns, are no flood: people repeat them."""
RISK = 0.01
"""Probability of an alarm over a set in which nobody repeats on purpose."""
_INDEPENDENT = 0.5
"""Words and values go together: a row is less rare than if each was drawn by itself, its information by half."""
_MOST_ALARMS = 20
_LETTERS = re.compile(r"[^\W\d_]+")


def text_floods(texts: Sequence[str]) -> Checked:
    """Flag texts of which too many differ only in case, digits and punctuation; the first of each group stays."""
    numbers: dict[str, int] = {}
    keys = []
    for text in texts:
        letters = _LETTERS.findall(text[: 12 * MOST_WORDS].lower())[:MOST_WORDS]
        keys.append(tuple(numbers.setdefault(one, len(numbers)) for one in letters))
    return _floods(keys, keys, "texts with the same letters")


def record_floods(columns: Sequence[Sequence[Hashable]]) -> Checked:
    """Flag records of which too many are equal in every column; the first of each group stays."""
    rows = list(zip(*columns, strict=True))
    return _floods([tuple(enumerate(row)) for row in rows], rows, "records that are the same in every column")


def _floods(tokens: Sequence[Sequence[Hashable]], keys: Sequence[Hashable], what: str) -> Checked:
    size = len(keys)
    scores, flagged = np.zeros(size), np.zeros(size, bool)
    reasons: dict[int, str] = {}
    alarms = []
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for row, key in enumerate(keys):
        groups[key].append(row)
    many = [one for one in groups.values() if len(one) >= LEAST_GROUP and len(tokens[one[0]]) >= LEAST_TOKENS]
    if size < LEAST_ROWS or not many:
        return nothing("flood", size)
    bags = _bags(tokens)
    for group in sorted(many, key=len, reverse=True):
        expected = _expected(bags, group)
        if _chance(len(group), expected) >= RISK / size:
            continue
        first, *rest = group
        scores[group] = len(group)
        flagged[rest] = True
        reasons |= dict.fromkeys(rest, f"one of {len(group)} {what} (the first is row {first + 1})")
        alarms.append(f"{len(group)} {what} from row {first + 1} on, where {expected:.2g} are to be expected")
    return Checked("flood", scores, flagged, reasons, tuple(alarms[:_MOST_ALARMS]))


def _bags(tokens: Sequence[Sequence[Hashable]]) -> Bags:
    numbers: dict[Hashable, int] = {}
    flat = [numbers.setdefault(one, len(numbers)) for row in tokens for one in row]
    rows = np.repeat(np.arange(len(tokens)), [len(row) for row in tokens])
    return bagged(rows, np.array(flat, np.int64), len(numbers), len(tokens))


def _expected(bags: Bags, group: list[int]) -> float:
    """Return how many rows like those of `group` chance would make, by the tokens of all other rows."""
    size = len(bags.starts) - 1
    mine = bags.tokens[bags.starts[group[0]] : bags.starts[group[0] + 1]]
    counts = np.bincount(bags.tokens, minlength=bags.count)[mine]
    others = np.maximum(counts - len(group), 1) / size
    return size * math.exp(_INDEPENDENT * float(np.log(others).sum()))


def _chance(count: int, expected: float) -> float:
    """Return a bound of the probability of `count` or more, of a Poisson variable (Chernoff's)."""
    if count <= expected:
        return 1.0
    return math.exp(count - expected - count * math.log(count / max(expected, 1e-300)))

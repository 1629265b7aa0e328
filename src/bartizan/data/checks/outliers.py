"""Rows that are far from all others: a number far beyond its column, a text of words that nobody else uses.

How far is too far follows from how the honest tail falls off: it is carried on from the middle of the column and its
upper tenth as an exponential one, and a row counts where not even one of the whole set is expected. Not found: a row
that is odd only as a whole, value by value like the others.
"""

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from bartizan.data.checks.bags import bagged, words
from bartizan.data.checks.base import Checked, Mask, nothing

LEAST_ROWS = 200
RISK = 0.02
"""Rows that are expected beyond the bound, of a whole set, in each column."""
_LEAST_WORDS = 5
_HEAVY = 1.1
"""A tail that spreads more than this from its tenth to its thirtieth part of the rows, by its spread before (0.75 if it
is exponential), is looked at by logarithms."""
Numbers = npt.NDArray[np.float64]


def number_outliers(columns: Mapping[str, Numbers], size: int) -> Checked:
    """Flag those of `size` rows that have a number far beyond the others of its column; gaps are NaN."""
    scores, reasons = np.zeros(size), dict[int, str]()
    for name, column in columns.items():
        usual = _mode(column)
        told = np.flatnonzero(np.isfinite(column) & (column != usual))
        if len(told) < LEAST_ROWS:
            continue
        middle = float(np.median(column[told]))
        spread = float(np.median(np.abs(column[told] - middle))) or 1.0
        far = np.abs(column[told] - middle) / spread
        half, tenth, few = np.quantile(far, (0.5, 0.9, 0.97))
        if few - tenth > _HEAVY * (tenth - half):
            far = np.arcsinh(far)
        bound = _bound(far, RISK / len(columns))
        scores[told] = np.maximum(scores[told], far / bound)
        low, high = np.quantile(column[told], (0.01, 0.99))
        for at in told[far > bound].tolist():
            reasons[at] = f"{name} = {column[at]:.6g}, far beyond the others (98 % are {low:.6g} to {high:.6g})"
    return _told(scores, reasons)


def text_outliers(texts: Sequence[str]) -> Checked:
    """Flag texts whose words hardly any other text uses: another language, gibberish, something pasted."""
    numbers: dict[str, int] = {}
    split = [[numbers.setdefault(one, len(numbers)) for one in words(text) if one[0].isalpha()] for text in texts]
    size = len(texts)
    rows = np.repeat(np.arange(size), [len(one) for one in split])
    flat = np.fromiter((word for one in split for word in one), np.int64, len(rows))
    bags = bagged(rows, flat, len(numbers), size)
    others = np.bincount(bags.tokens, minlength=bags.count)[bags.tokens] - 1
    lengths = np.diff(bags.starts)
    told = np.flatnonzero(lengths >= _LEAST_WORDS)
    if len(told) < LEAST_ROWS:
        return nothing("outlier", size)
    surprise = np.log((size + 1) / (others + 1))
    mean = np.bincount(bags.rows, surprise, size)[told] / lengths[told]
    bound = _normal_bound(mean, RISK)
    scores = np.zeros(size)
    scores[told] = mean / bound
    alone = np.bincount(bags.rows, others == 0, size)
    reasons = {int(at): f"{alone[at]:.0f} of its {lengths[at]} words are in no other text" for at in told[mean > bound]}
    return _told(scores, reasons)


def _told(scores: Numbers, reasons: dict[int, str]) -> Checked:
    flagged: Mask = np.zeros(len(scores), bool)
    flagged[list(reasons)] = True
    return Checked("outlier", scores, flagged, reasons)


def _mode(column: Numbers) -> float:
    """Return the number that more than half of a column is, else NaN: what is not that is looked at by itself."""
    known = column[np.isfinite(column)]
    if not known.size:
        return math.nan
    middle = float(np.median(known))
    return middle if (known == middle).mean() > 0.5 else math.nan


def _bound(far: Numbers, risk: float) -> float:
    """Return the value beyond which `risk` of the rows is expected, if the tail falls off as an exponential one."""
    half, tenth, few = np.quantile(far, (0.5, 0.9, 0.97))
    falls = max((tenth - half) / math.log(5), (few - tenth) / math.log(0.1 / 0.03), 1e-9)
    return float(tenth + falls * math.log(0.1 * len(far) / risk))


def _normal_bound(values: Numbers, risk: float) -> float:
    """Return the same for values that vary like sums of many (surprise by the word): the tail is a normal one."""
    half, tenth, few = np.quantile(values, (0.5, 0.9, 0.97))
    tail = [NormalDist().inv_cdf(one) for one in (0.9, 0.97)]
    spread = max((tenth - half) / tail[0], (few - tenth) / (tail[1] - tail[0]))
    return float(half + spread * NormalDist().inv_cdf(1 - risk / len(values)))

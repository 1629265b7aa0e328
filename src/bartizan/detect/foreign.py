"""How foreign a sentence is to the text it stands in: the share of its word pairs that the text itself does not use.

A document speaks of its own things in its own words, the more so the longer it is: a sentence of a manual that reads
like an order is made of word pairs that stand elsewhere in the manual too, an order that somebody planted is not. What
stands in any of the sentences in question is no witness for the others, so an order cannot vouch for its copies there.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bartizan.detect.tokens import SPECIAL, Ids

LEAST = 2_000
"""Tokens of the shortest text that knows its own words."""
_FEW = 1
"""A pair that stands no more often elsewhere is foreign: one quotation of an order does not make it at home."""
_CAUTION = 4
"""Pairs that count as at home beside the sentence's own: three words show little."""


def shares(ids: Ids, windows: Sequence[tuple[int, int]]) -> NDArray[np.float32]:
    """Return for each window (first token, how many) of a text the share of its word pairs, 0 to below 1, not at home.

    Lines, digits and signs without a piece of their own make no pair. One pass over the text, whatever the windows.
    """
    pairs = ids[:-1].astype(np.int64) << 32 | ids[1:]
    words = (ids[:-1] >= SPECIAL) & (ids[1:] >= SPECIAL)
    outside = words.copy()
    inside = []
    for first, count in windows:
        outside[max(0, first - 1) : first + count] = False
        own = slice(first, first + count - 1)
        inside.append(np.unique(pairs[own][words[own]]))
    asked = np.unique(np.concatenate([np.empty(0, np.int64), *inside]))
    elsewhere = pairs[outside]
    at = np.searchsorted(asked, elsewhere)
    known = at < len(asked)
    known[known] = asked[at[known]] == elsewhere[known]
    foreign = np.bincount(at[known], minlength=len(asked)) <= _FEW
    found = [foreign[np.searchsorted(asked, own)].sum() / (len(own) + _CAUTION) for own in inside]
    return np.array(found, np.float32)

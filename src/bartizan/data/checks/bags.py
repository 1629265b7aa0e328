"""Rows as bags of numbered tokens, and the runs of words in texts: where triggers in texts and tables are searched."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MOST_WORDS = 400
"""Words of a text beyond this many are not looked at."""
LONGEST_RUN = 4
_WORD = re.compile(r"\w+|[^\w\s]")
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Bags:
    """Which tokens (0..count-1) each of n rows holds, each once; row i has the entries starts[i] to starts[i+1]."""

    rows: Ints
    tokens: Ints
    starts: Ints
    count: int

    def of(self, chosen: Ints) -> tuple[Ints, Ints]:
        """Return (position in `chosen`, entry number) for every entry of the rows `chosen`."""
        sizes = self.starts[chosen + 1] - self.starts[chosen]
        places = np.repeat(np.arange(len(chosen)), sizes)
        ends = np.cumsum(sizes)
        within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - sizes, sizes)
        return places, self.starts[chosen][places] + within


def bagged(rows: Ints, tokens: Ints, count: int, size: int) -> Bags:
    """Return bags of `size` rows from (row, token) pairs in any order, repeats dropped; tokens are below `count`."""
    pairs = np.unique(rows * max(count, 1) + tokens)
    rows, tokens = pairs // max(count, 1), pairs % max(count, 1)
    return Bags(rows, tokens, np.searchsorted(rows, np.arange(size + 1)), count)


@dataclass(frozen=True)
class Runs:
    """The words of texts end to end, and the runs of 1 to LONGEST_RUN words that several texts share."""

    words: Bags
    runs: Bags
    _vocabulary: list[str]
    _flat: Ints
    _first: Ints
    _length: Ints

    def name(self, run: int) -> str:
        """Return a run as it is read."""
        at, length = int(self._first[run]), int(self._length[run])
        return " ".join(self._vocabulary[one] for one in self._flat[at : at + length])


def words(text: str) -> list[str]:
    """Return the words and marks of a text in lower case, at most MOST_WORDS."""
    return _WORD.findall(text[: 12 * MOST_WORDS].lower())[:MOST_WORDS]


def runs(texts: Sequence[str], least: int) -> Runs:
    """Return the words of `texts` and the runs of words that occur in at least `least` of them.

    A run can only be in so many texts when the two that are one word shorter are (Agrawal and Srikant 1994).
    """
    numbers: dict[str, int] = {}
    split = [[numbers.setdefault(word, len(numbers)) for word in words(text)] for text in texts]
    sizes = np.array([len(one) for one in split], np.int64)
    flat = np.fromiter((word for one in split for word in one), np.int64, int(sizes.sum()))
    row = np.repeat(np.arange(len(texts)), sizes)
    keys, ids = np.zeros(len(flat), np.uint64), _spread(flat)
    at, count = np.arange(len(flat)), 0
    owners, tokens, places, lengths = [], [], [], []
    for length in range(1, LONGEST_RUN + 1):
        keys[at] = keys[at] * np.uint64(0x9E3779B97F4A7C15) + ids[at + length - 1] + np.uint64(length)
        _, first, number = np.unique(keys[at], return_index=True, return_inverse=True)
        bags = bagged(row[at], number.astype(np.int64), len(first), len(texts))
        enough = np.bincount(bags.tokens, minlength=len(first)) >= least
        kept = enough[bags.tokens]
        owners.append(bags.rows[kept])
        tokens.append(count + (np.cumsum(enough) - 1)[bags.tokens[kept]])
        places.append(at[first[enough]])
        lengths.append(np.full(int(enough.sum()), length))
        count += int(enough.sum())
        often = np.zeros(len(flat) + 1, bool)
        often[at[enough[number]]] = True
        longer = np.flatnonzero(often[:-1] & often[1:])
        at = longer[row[longer] == row[longer + length]]
    shared = bagged(np.concatenate(owners), np.concatenate(tokens), count, len(texts))
    place, length_of = np.concatenate(places).astype(np.int64), np.concatenate(lengths).astype(np.int64)
    words_of = bagged(row, flat, len(numbers), len(texts))
    return Runs(words_of, shared, list(numbers), flat, place, length_of)


def _spread(flat: Ints) -> npt.NDArray[np.uint64]:
    """Return word numbers spread over 64 bits (splitmix64), so that sums of neighbours do not collide."""
    value = flat.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))

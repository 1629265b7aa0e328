"""Records as vectors: texts by their common words, tables by ranks, categories and random units."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bartizan.data.checks.bags import bagged, words

if TYPE_CHECKING:
    import polars

Matrix = npt.NDArray[Any]
WORDS = 1536
UNITS = 768
_MOST_CATEGORIES = 50
"""The most frequent values of a column of categories; rarer ones count as one."""


def text_vectors(texts: Sequence[str]) -> Matrix:
    """Return (n, d): the most common words of the texts, rare ones heavier, rows of length 1."""
    numbers: dict[str, int] = {}
    split = [[numbers.setdefault(word, len(numbers)) for word in words(text)] for text in texts]
    owner = np.repeat(np.arange(len(texts)), [len(one) for one in split])
    flat = np.fromiter((word for one in split for word in one), np.int64, len(owner))
    bags = bagged(owner, flat, len(numbers), len(texts))
    counts = np.bincount(bags.tokens, minlength=len(numbers))
    common = np.argsort(-counts, kind="stable")[:WORDS]
    place = np.full(len(numbers), -1, np.int64)
    place[common] = np.arange(len(common))
    kept = place[bags.tokens] >= 0
    found = np.zeros((len(texts), len(common)), np.float32)
    found[bags.rows[kept], place[bags.tokens[kept]]] = np.log((len(texts) + 1) / counts[bags.tokens[kept]])
    return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9))


def table_vectors(frame: "polars.DataFrame", rng: np.random.Generator) -> Matrix:
    """Return (n, d) for columns of numbers and of categories; d is 0 where no column is either."""
    numbers, parts = [], []
    for series in frame.iter_columns():
        if series.dtype.is_numeric() or series.dtype.is_temporal():
            numbers.append(ranks(series.to_physical().cast(float, strict=False).fill_nan(None).to_numpy()))
        elif series.dtype.is_nested():
            continue
        else:
            parts.append(_categories(series.cast(str, strict=False).fill_null("").to_list()))
    if numbers:
        scaled = np.stack(numbers, axis=1)
        width = scaled.shape[1]
        units = scaled @ rng.normal(0, 1 / np.sqrt(width), (width, UNITS)) + rng.uniform(-1, 1, UNITS)
        parts += [scaled, np.maximum(units, 0)]
    return np.concatenate(parts, axis=1).astype(np.float32) if parts else np.zeros((frame.height, 0), np.float32)


def ranks(column: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return a column of numbers as ranks with mean 0 and deviation 1; equal numbers share a rank, gaps are 0."""
    known = ~np.isnan(column)
    found = np.zeros(len(column))
    if known.sum() > 1:
        numbers, counts = np.unique(column[known], return_inverse=True, return_counts=True)[1:]
        middles = (np.cumsum(counts) - (counts + 1) / 2) / (known.sum() - 1)
        found[known] = (middles[numbers] - 0.5) * np.sqrt(12)
    return found


def _categories(values: Sequence[str]) -> Matrix:
    names, numbers, counts = np.unique(np.array(values), return_inverse=True, return_counts=True)
    kept = np.argsort(-counts, kind="stable")[:_MOST_CATEGORIES]
    place = np.full(len(names), len(kept), np.int64)
    place[kept] = np.arange(len(kept))
    found = np.zeros((len(values), len(kept) + 1), np.float32)
    found[np.arange(len(values)), place[numbers]] = 1
    return found

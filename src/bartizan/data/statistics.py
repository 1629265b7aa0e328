"""Statistics of columns that can be added up: each batch of rows is measured alone, the sums speak for the whole set.

So a data set larger than memory is described in bounded memory, and an interrupted run continues where it stopped.
"""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec

if TYPE_CHECKING:
    import polars

MOST_VALUES = 256
"""A column with more distinct values than this is not counted value by value."""


class Column(msgspec.Struct, frozen=True, omit_defaults=True):
    """One column: numbers as they are, texts and lists by their length. `values` counts each value of a small set."""

    kind: Literal["number", "text", "truth", "nested", "mixed", "empty"]
    count: int
    nulls: int = 0
    low: float | None = None
    high: float | None = None
    total: float = 0.0
    squares: float = 0.0
    values: dict[str, int] | None = None

    def mean(self) -> float | None:
        """Return the mean of the numbers or lengths, None when there are none."""
        known = self.count - self.nulls
        return self.total / known if known and self.low is not None else None

    def deviation(self) -> float | None:
        """Return the standard deviation of the numbers or lengths."""
        mean = self.mean()
        if mean is None:
            return None
        return math.sqrt(max(0.0, self.squares / (self.count - self.nulls) - mean * mean))


def measure(frame: "polars.DataFrame") -> dict[str, Column]:
    """Return the statistics of each column of a batch."""
    return {series.name: _column(series) for series in frame.iter_columns()}


def _column(series: "polars.Series") -> Column:
    import polars as pl

    count, nulls, dtype = series.len(), series.null_count(), series.dtype
    if nulls == count:
        return Column("empty", count, nulls)
    if dtype == pl.Boolean:
        return Column("truth", count, nulls, values=_counted(series.cast(pl.String)))
    if dtype.is_numeric() or dtype.is_temporal():
        numbers = series.to_physical().cast(pl.Float64, strict=False)
        return _numbers("number", series, numbers.set(~numbers.is_finite(), None))
    if dtype == pl.String:
        return _numbers("text", series, series.str.len_chars().cast(pl.Float64))
    if isinstance(dtype, pl.List):
        return _numbers("nested", series, series.list.len().cast(pl.Float64))
    if dtype == pl.Binary:
        return _numbers("nested", series, series.bin.size().cast(pl.Float64))
    return Column("nested", count, nulls)


def _numbers(kind: Literal["number", "text", "nested"], series: "polars.Series", numbers: "polars.Series") -> Column:
    nulls = numbers.null_count()
    low, high = numbers.min(), numbers.max()
    return Column(
        kind,
        series.len(),
        nulls,
        None if low is None else float(low),  # type: ignore[arg-type]
        None if high is None else float(high),  # type: ignore[arg-type]
        float(numbers.sum()),
        float((numbers * numbers).sum()),
        _counted(series.cast(series.dtype)) if kind != "nested" else None,
    )


def _counted(series: "polars.Series") -> dict[str, int] | None:
    """Return how often each value occurs, None when there are too many."""
    import polars as pl

    if series.head(4 * MOST_VALUES).n_unique() > MOST_VALUES:
        return None
    counts = series.drop_nulls().value_counts()
    if counts.height > MOST_VALUES:
        return None
    names, numbers = counts[series.name].cast(pl.String), counts["count"]
    return {_short(name): number for name, number in sorted(zip(names.to_list(), numbers.to_list(), strict=True))}


def _short(value: str) -> str:
    return value if len(value) <= 200 else value[:199] + "…"


def add(left: Mapping[str, Column], right: Mapping[str, Column], rows: tuple[int, int]) -> dict[str, Column]:
    """Return the statistics of two batches together; `rows` are the rows of each, for columns that one lacks."""
    return {
        name: _sum(
            left.get(name, Column("empty", rows[0], rows[0])), right.get(name, Column("empty", rows[1], rows[1]))
        )
        for name in {**left, **right}
    }


def _sum(a: Column, b: Column) -> Column:
    kind = a.kind if b.kind in ("empty", a.kind) else b.kind if a.kind == "empty" else "mixed"
    values: dict[str, int] | None = None
    known = [one.values for one in (a, b) if one.kind != "empty"]
    if known and all(one is not None for one in known):
        values = dict(known[0] or {})
        for value, count in (known[1] or {}).items() if len(known) == 2 else ():
            values[value] = values.get(value, 0) + count
    if values is not None and len(values) > MOST_VALUES:
        values = None
    return Column(
        kind,
        a.count + b.count,
        a.nulls + b.nulls,
        _pick(min, a.low, b.low),
        _pick(max, a.high, b.high),
        a.total + b.total,
        a.squares + b.squares,
        values,
    )


def _pick(which: Any, a: float | None, b: float | None) -> float | None:
    known = [value for value in (a, b) if value is not None]
    return which(known) if known else None

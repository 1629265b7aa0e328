"""Statistics of parts add up to those of the whole."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bartizan.data.statistics import MOST_VALUES, add, measure

VALUES = st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=30)


@given(VALUES, VALUES)
def test_two_batches_add_up(left, right):
    """Count, nulls, extremes and sums, whatever is missing."""
    frames = [pl.DataFrame({"x": pl.Series(part, dtype=pl.Float64)}) for part in (left, right)]
    both = add(measure(frames[0]), measure(frames[1]), (len(left), len(right)))["x"]
    whole = measure(pl.concat(frames))["x"]
    assert (both.count, both.nulls, both.low, both.high) == (whole.count, whole.nulls, whole.low, whole.high)
    assert both.total == pytest.approx(whole.total)
    if whole.mean() is not None:
        assert both.deviation() == pytest.approx(whole.deviation(), abs=1e-3)


def test_values_are_counted_until_there_are_too_many():
    """And a column that one batch lacks counts as missing there."""
    few = measure(pl.DataFrame({"c": ["a", "b", "a", None], "t": [True, False, True, True]}))
    assert few["c"].values == {"a": 2, "b": 1}
    assert few["t"].values == {"false": 1, "true": 3}
    many = measure(pl.DataFrame({"c": [str(n) for n in range(MOST_VALUES + 1)]}))
    assert many["c"].values is None
    assert add(few, many, (4, MOST_VALUES + 1))["t"].nulls == MOST_VALUES + 1
    assert add(few, measure(pl.DataFrame({"c": [1.5]})), (4, 1))["c"].kind == "mixed"

"""Votes are known by the names of their columns; tables without them are left alone."""

import numpy as np
import polars as pl

from bartizan.data.votes import votes


def test_columns_are_found_with_and_without_id():
    """In any case; the vote may be the class of the set."""
    frame = pl.DataFrame({"UserID": ["a", "b"], "item_id": [1, 2], "Rating": [5, 1], "note": ["x", "y"]})
    found = votes(frame, "")
    assert (found.accounts, found.items, found.votes, found.times) == (["a", "b"], [1, 2], [5, 1], None)
    assert votes(frame.rename({"Rating": "good"}), "good").votes == [5, 1]
    assert votes(frame.rename({"Rating": "good"}), "") is None
    assert votes(frame.drop("UserID"), "") is None


def test_times_are_seconds():
    """From numbers, dates and text; what is not a time is unknown, never 0."""
    base = {"user": ["a", "b"], "item": [1, 2], "vote": [1, 0]}
    for values in (["1970-01-01T00:00:10Z", "1970-01-01T00:01:00Z"], ["1970-01-01 00:00:10", "1970-01-01 00:01:00"]):
        assert votes(pl.DataFrame(base | {"time": values}), "").times.tolist() == [10.0, 60.0]
    assert votes(pl.DataFrame(base | {"time": [10, None]}), "").times[0] == 10
    assert np.isnan(votes(pl.DataFrame(base | {"time": [10, None]}), "").times[1])
    assert np.isnan(votes(pl.DataFrame(base | {"time": ["soon", "later"]}), "").times).all()


def test_fine_ratings_count_by_fifths():
    """Two accounts that say 91 and 92 say the same."""
    rows = 100
    frame = pl.DataFrame({"user": list(range(rows)), "item": [0] * rows, "score": [float(one) for one in range(rows)]})
    assert set(votes(frame, "").votes) == {0, 1, 2, 3, 4}

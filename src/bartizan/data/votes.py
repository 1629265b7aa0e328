"""Which columns of a table are votes: who, on what, which vote, when. Known by their names, as prompts are."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import polars

_ACCOUNTS = ("account", "user", "rater", "annotator", "voter", "reviewer", "worker", "labeler", "labeller")
_ITEMS = ("item", "product", "movie", "prompt", "message", "response", "conversation", "comparison", "pair", "document")
_VOTES = ("rating", "vote", "score", "stars", "preference", "choice", "thumb", "thumbs", "feedback", "like")
_TIMES = ("time", "timestamp", "created", "created_at", "date", "rated_at", "voted_at")
_MOST_KINDS = 20
_WHEN = ("%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d")


@dataclass(frozen=True)
class Votes:
    """Rows of a table as votes; `times` are seconds, NaN where unknown, None without a column of times."""

    accounts: list[Hashable]
    items: list[Hashable]
    votes: list[Hashable]
    times: npt.NDArray[np.float64] | None


def votes(frame: "polars.DataFrame", label: str) -> Votes | None:
    """Return the votes in a table, or None where it holds none. `label` names the vote, or is the class of the set.

    Numbers with more than 20 values (percents, stars with fractions) count by the fifth of their order.
    """
    who, what = _named(frame, _ACCOUNTS), _named(frame, _ITEMS)
    how = _named(frame, _VOTES) or (label if label in frame.columns else "")
    if not who or not what or not how or len({who, what, how}) < 3:
        return None
    when = _named(frame, _TIMES)
    return Votes(
        frame[who].to_list(), frame[what].to_list(), _kinds(frame[how]), _seconds(frame[when]) if when else None
    )


def _named(frame: "polars.DataFrame", names: tuple[str, ...]) -> str:
    """Return the first column called one of `names`, with _id behind it or without."""
    for name in names:
        for column in frame.columns:
            if column.lower().removesuffix("id").rstrip("_") == name and not frame[column].dtype.is_nested():
                return column
    return ""


def _kinds(series: "polars.Series") -> list[Hashable]:
    if series.dtype.is_numeric() and series.n_unique() > _MOST_KINDS:
        known = series.cast(float, strict=False)
        bounds = [known.quantile(one) or 0.0 for one in (0.2, 0.4, 0.6, 0.8)]
        return [None if one is None else int(np.searchsorted(bounds, one)) for one in known.to_list()]
    return series.to_list()


def _seconds(series: "polars.Series") -> npt.NDArray[np.float64]:
    import polars as pl

    if series.dtype == pl.String:
        for pattern in _WHEN:
            read = series.str.to_datetime(pattern, strict=False)
            if read.null_count() <= 0.5 * len(series):
                series = read
                break
        else:
            return np.full(len(series), np.nan)
    if series.dtype.is_temporal():
        if series.dtype in (pl.Time, pl.Duration):
            return np.full(len(series), np.nan)
        return series.dt.epoch("us").cast(float).fill_null(float("nan")).to_numpy() / 1e6
    if not series.dtype.is_numeric():
        return np.full(len(series), np.nan)
    return series.cast(float, strict=False).fill_null(float("nan")).to_numpy()

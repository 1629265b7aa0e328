"""Membership attacks on scores: each gives every record a number, higher for "was in the training set".

They never judge themselves: `judge.py` does. Online attacks know references that did and did not train on a record;
offline ones use only those that did not. None knows the target's training set.
"""

from typing import Protocol

import numpy as np
from scipy.stats import norm

from bartizan.lab.membership import pooled
from bartizan.lab.membership.signals import Observed


class Membership(Protocol):
    """An attack on membership."""

    @property
    def name(self) -> str:
        """What reports call it."""
        ...

    def score(self, seen: Observed) -> np.ndarray:
        """Return one number a record, (n,); higher means member."""
        ...


class Loss:
    """The loss threshold (Yeom et al. 2018): the baseline that under-reports; needs no reference."""

    name = "loss threshold"

    def score(self, seen: Observed) -> np.ndarray:
        """Return the log-probability of the label."""
        return seen.target_log_probability


class LiraOnline:
    """Likelihood ratio with each record's own mean and variance (Carlini et al. 2022, algorithm 1)."""

    name = "LiRA online"

    def score(self, seen: Observed) -> np.ndarray:
        """Return log N(in) - log N(out)."""
        each = _moments(seen, fixed=False)
        return _log_ratio(seen.target_confidence, *each)


class LiraFixed:
    """LiRA online with one variance for all records: the better choice below about 64 models (same paper)."""

    name = "LiRA online, fixed variance"

    def score(self, seen: Observed) -> np.ndarray:
        """Return log N(in) - log N(out)."""
        each = _moments(seen, fixed=True)
        return _log_ratio(seen.target_confidence, *each)


class LiraOffline:
    """LiRA from models that never saw the record, fixed variance: how unusual is this confidence for a non-member?"""

    name = "LiRA offline, fixed variance"

    def score(self, seen: Observed) -> np.ndarray:
        """Return log P(a non-member's confidence is lower)."""
        _, _, mean_out, variance_out = _moments(seen, fixed=True)
        return np.asarray(norm.logcdf((seen.target_confidence - mean_out) / np.sqrt(variance_out)))


class Rmia:
    """RMIA (Zarifzadeh et al. 2024): p(x|target) / p(x), compared with the same ratio of other records.

    With one population of comparison records for every candidate the share of records that lose is a monotone function
    of the ratio, so the ratio itself gives the same ROC; it is what is returned.
    """

    name = "RMIA online"

    def score(self, seen: Observed) -> np.ndarray:
        """Return log p(x|target) - log p(x)."""
        return np.asarray(seen.target_log_probability - np.log(seen.reference_probability.mean(axis=0)))


class RmiaOffline:
    """RMIA from out-models only: p(x) is ((1 + a) p_out + 1 - a) / 2 with the paper's a."""

    name = "RMIA offline"

    def __init__(self, a: float = 0.3) -> None:
        """Use `a` (0..1) for the guess of what training on a record adds."""
        self._a = a

    def score(self, seen: Observed) -> np.ndarray:
        """Return log p(x|target) - log p(x)."""
        outside = ~seen.inside
        count = np.maximum(outside.sum(axis=0), 1)
        out = (seen.reference_probability * outside).sum(axis=0) / count
        return np.asarray(seen.target_log_probability - np.log(((1 + self._a) * out + 1 - self._a) / 2))


class Pooled:
    """Our hierarchical estimator (`pooled.py`): strong from two references on, and at least as good with many."""

    name = "pooled Bayes"

    def score(self, seen: Observed) -> np.ndarray:
        """Return the posterior predictive log-likelihood ratio."""
        return pooled.log_ratio(seen.target_confidence, seen.reference_confidence, seen.inside)


ATTACKS: tuple[Membership, ...] = (Loss(), LiraOnline(), LiraFixed(), LiraOffline(), Rmia(), RmiaOffline(), Pooled())
"""In the order of reports. The leak that counts is the maximum over them."""


def _moments(seen: Observed, *, fixed: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return mean and variance of the confidence inside, then outside, (n,) each."""
    mean_in, variance_in = _side(seen.reference_confidence, seen.inside, fixed)
    mean_out, variance_out = _side(seen.reference_confidence, ~seen.inside, fixed)
    # Difference of the means, not mean of the differences: no record need have both sides.
    shift = np.nanmean(mean_in) - np.nanmean(mean_out)
    unseen_in, unseen_out = np.isnan(mean_in), np.isnan(mean_out)
    mean_in = np.where(unseen_in, mean_out + shift, mean_in)
    mean_out = np.where(unseen_out, mean_in - shift, mean_out)
    return mean_in, variance_in, mean_out, variance_out


def _side(values: np.ndarray, chosen: np.ndarray, fixed: bool) -> tuple[np.ndarray, np.ndarray]:
    count = chosen.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(count > 0, (values * chosen).sum(axis=0) / count, np.nan)
    squares = np.where(chosen, (values - np.where(count > 0, mean, 0.0)) ** 2, 0.0).sum(axis=0)
    freedom = np.maximum(count - 1, 0)
    overall = squares.sum() / freedom.sum() if freedom.sum() else 1.0
    overall = max(overall, 1e-6)
    if fixed:
        return mean, np.full(len(mean), overall)
    own = squares / np.maximum(freedom, 1)
    return mean, np.where((freedom > 0) & (own > 1e-6), own, overall)


def _log_ratio(
    value: np.ndarray, mean_in: np.ndarray, variance_in: np.ndarray, mean_out: np.ndarray, variance_out: np.ndarray
) -> np.ndarray:
    inside = norm.logpdf(value, mean_in, np.sqrt(variance_in))
    outside = norm.logpdf(value, mean_out, np.sqrt(variance_out))
    return np.asarray(inside - outside)

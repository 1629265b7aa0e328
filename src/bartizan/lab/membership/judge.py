"""Says how well a membership attack did: ROC, AUC, and hits at a false-positive rate that hurts, with intervals.

Average accuracy hides the leak: an attack that names a few members for certain is a breach (Carlini et al. 2022). So
the true-positive rate at 0.1 % and 1 % false positives comes first, and the figure of a model is the maximum over
attacks, never one attack's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bartizan.core.measures import Measurement

RESAMPLES = 300
LOW_RATES = (0.001, 0.01)


@dataclass(frozen=True)
class Roc:
    """A receiver curve: both rates rise from 0 to 1; ties move together, so a constant score gives the diagonal."""

    false_positive: np.ndarray
    true_positive: np.ndarray

    @property
    def auc(self) -> float:
        """Return the area under the curve."""
        return float(np.trapezoid(self.true_positive, self.false_positive))

    def at(self, rate: float) -> float:
        """Return the best true-positive rate whose false-positive rate is at most `rate`."""
        return float(self.true_positive[np.searchsorted(self.false_positive, rate, side="right") - 1])


@dataclass(frozen=True)
class Leak:
    """How well one attack told members from others."""

    attack: str
    auc: Measurement
    tpr: Mapping[float, Measurement]
    """True-positive rate by false-positive rate."""
    roc: Roc


def roc(scores: np.ndarray, members: np.ndarray) -> Roc:
    """Return the curve of `scores` (n,) against `members` (n,) bool. Raises ValueError unless both kinds occur."""
    if members.all() or not members.any() or np.isnan(scores).any():
        raise ValueError(f"roc: {int(members.sum())} members of {len(members)}: expected both kinds and no NaN")
    order = np.argsort(-scores, kind="stable")
    hits, ranked = members[order], scores[order]
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    true, false = np.cumsum(hits)[last], np.cumsum(~hits)[last]
    return Roc(np.append(0.0, false / false[-1]), np.append(0.0, true / true[-1]))


def judge_membership(attack: str, scores: np.ndarray, members: np.ndarray, *, seed: int) -> Leak:
    """Return the leak of one attack on one target; intervals are a bootstrap over members and over others."""
    whole = roc(scores, members)
    drawn = [whole_of(_resampled(scores, members, draw)) for draw in _draws(seed)]
    return _leak(attack, whole, np.array(drawn), (len(members), seed, "bootstrap-percentile, stratified"))


def whole_of(curve: Roc) -> tuple[float, ...]:
    """Return (AUC, TPR at each of `LOW_RATES`)."""
    return (curve.auc, *(curve.at(rate) for rate in LOW_RATES))


def judge_targets(attack: str, scores: np.ndarray, members: np.ndarray, *, seed: int) -> Leak:
    """Return the leak of one attack over several targets, `scores` and `members` (targets, n), in one curve.

    One threshold for all targets, as an attacker has to choose it; intervals are a bootstrap over targets.
    """
    whole = roc(scores.ravel(), members.ravel())
    drawn = []
    for draw in _draws(seed):
        rows = draw.integers(0, len(scores), len(scores))
        drawn.append(whole_of(roc(scores[rows].ravel(), members[rows].ravel())))
    return _leak(attack, whole, np.array(drawn), (members.size, seed, "bootstrap-percentile over targets"))


def worst(leaks: Sequence[Leak], rate: float = LOW_RATES[0]) -> Leak:
    """Return the attack with the highest true-positive rate at `rate`, by AUC among equals: the figure that counts."""
    return max(leaks, key=lambda one: (one.tpr[rate].value, one.auc.value))


def most_vulnerable(scores: Sequence[np.ndarray], members: np.ndarray, count: int = 10) -> list[int]:
    """Return the member records that attacks recognise best: each by its best rank over the attacks, worst first.

    A rank is the share of non-members with a higher score, so attacks with different scales can be compared.
    """
    inside = np.flatnonzero(members)
    best = np.full(len(inside), np.inf)
    for one in scores:
        others = np.sort(one[~members])
        beaten_by = (len(others) - np.searchsorted(others, one[inside], side="left")) / len(others)
        best = np.minimum(best, beaten_by - 1e-9 * _position(one[inside]))
    return [int(record) for record in inside[np.argsort(best, kind="stable")[:count]]]


def _position(values: np.ndarray) -> np.ndarray:
    """Return ranks 0..1, to order records that no non-member beats."""
    order = np.empty(len(values))
    order[np.argsort(values)] = np.arange(len(values))
    return order / len(values)


def _draws(seed: int) -> list[np.random.Generator]:
    return [np.random.default_rng((seed, number)) for number in range(RESAMPLES)]


def _resampled(scores: np.ndarray, members: np.ndarray, draw: np.random.Generator) -> Roc:
    kinds = [np.flatnonzero(members), np.flatnonzero(~members)]
    rows = np.concatenate([draw.choice(one, len(one)) for one in kinds])
    return roc(scores[rows], members[rows])


def _leak(attack: str, whole: Roc, drawn: np.ndarray, told: tuple[int, int, str]) -> Leak:
    auc, *rates = drawn.T
    tpr = {rate: _measured(whole.at(rate), got, told, "share") for rate, got in zip(LOW_RATES, rates, strict=True)}
    return Leak(attack, _measured(whole.auc, auc, told, "AUC"), tpr, whole)


def _measured(value: float, drawn: np.ndarray, told: tuple[int, int, str], unit: str) -> Measurement:
    n, seed, method = told
    low, high = (float(edge) for edge in np.quantile(drawn, [0.025, 0.975]))
    return Measurement(value, min(low, value), max(high, value), n, seed, unit, method)

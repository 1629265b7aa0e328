"""Rows whose label is probably wrong: label noise as a channel from true to given classes, estimated from the data.

Rows that a model which never saw them is surest of are nearly free of honest doubt, so the labels that they carry
show how often each class is called another one (Patrini et al., CVPR 2017; confident learning, Northcutt et al. 2021,
counts all confident rows, so honest doubt counts as noise). With that channel every row gets the probability that its
label is wrong. Flagged are the rows that make the expected F1 greatest, as far as the budget of honest rows allows.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bartizan.data.checks.base import BUDGET, Checked, Labels

Probabilities = npt.NDArray[np.float64]
LEAST_ROWS = 100
MOST_CLASSES = 100
_SHARES = (0.05, 0.1, 0.2, 0.3, 0.5)
"""Parts of the rows of a class, the surest first, in which other labels are counted: the part with the lowest upper
bound counts, small parts have wide bounds."""
_LEAST_PART = 5
_STEPS = 40
_SURE, _MARGIN = 0.7, 0.5
"""Within a budget a label must be wrong with this probability, and half of the budget is kept for what the estimate
leaves out (measured: 0.4 to 1.1 % of honest rows are flagged at a budget of 1 %)."""


def check_labels(
    probabilities: Probabilities, labels: Labels, names: Sequence[str] = (), *, budget: float = BUDGET
) -> Checked:
    """Return which labels are probably wrong. `probabilities` are (n, k), each row predicted by a model without it.

    Scores are the probabilities of a wrong label. A budget of 1 flags what makes the expected F1 greatest.
    """
    rows, classes = probabilities.shape
    if not rows or classes < 2:
        return Checked("label", np.zeros(rows), np.zeros(rows, bool))
    named = names or [str(one) for one in range(classes)]
    channel = noise(probabilities, labels)
    truth = _true_classes(probabilities, channel)
    said = truth * channel[:, labels].T
    at = np.arange(rows)
    wrong = 1 - said[at, labels] / np.maximum(said.sum(axis=1), 1e-12)
    flagged = _chosen(wrong, budget)
    other = said.copy()
    other[at, labels] = -1
    better = other.argmax(axis=1)
    reasons = {
        int(row): f"its label {named[labels[row]]!r} is wrong with {wrong[row]:.0%}: the rest of the row reads like "
        f"{named[better[row]]!r}"
        for row in np.flatnonzero(flagged)
    }
    return Checked("label", wrong, flagged, reasons)


def noise(probabilities: Probabilities, labels: Labels) -> Probabilities:
    """Return (k, k): how often a row of the true class (first) is called each class (second)."""
    classes = probabilities.shape[1]
    guess, height = probabilities.argmax(axis=1), probabilities.max(axis=1)
    channel = np.eye(classes)
    for one in range(classes):
        own = np.flatnonzero(guess == one)
        own = own[np.argsort(-height[own], kind="stable")]
        sizes = [int(share * len(own)) for share in _SHARES if int(share * len(own)) >= _LEAST_PART]
        if not sizes:
            continue
        bounds = []
        for size in sizes:
            rate = (np.bincount(labels[own[:size]], minlength=classes) + 0.5 / classes) / (size + 0.5)
            bounds.append(rate + np.sqrt(rate * (1 - rate) / size))
        called = np.min(bounds, axis=0)
        called[one] = 0.0
        called[one] = max(0.05, 1 - called.sum())
        channel[one] = called / called.sum()
    return channel


def _true_classes(probabilities: Probabilities, channel: Probabilities) -> Probabilities:
    """Return the probabilities of the true classes behind those of the given ones (Richardson 1972, Lucy 1974)."""
    truth = probabilities.copy()
    for _ in range(_STEPS):
        truth *= (probabilities / np.maximum(truth @ channel, 1e-12)) @ channel.T
    return truth


def _chosen(wrong: Probabilities, budget: float) -> npt.NDArray[np.bool_]:
    order = np.argsort(-wrong, kind="stable")
    ranked = wrong[order]
    expected = 2 * np.cumsum(ranked) / (np.arange(1, len(wrong) + 1) + wrong.sum())
    if budget < 1:
        honest = np.cumsum(1 - ranked)
        expected[(honest > _MARGIN * budget * (1 - wrong).sum()) | (ranked < _SURE)] = 0.0
    flagged = np.zeros(len(wrong), bool)
    if expected.max() > 0 and ranked[0] > 0.5:
        flagged[order[: int(expected.argmax()) + 1]] = True
    return flagged

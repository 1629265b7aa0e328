"""Wrong labels are found as well as cleanlab finds them from the same probabilities."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from bartizan.data.checks.mislabelled import check_labels


def f1(flagged, wrong):
    """F1 of flagged rows."""
    return 2 * (flagged & wrong).sum() / (flagged.sum() + wrong.sum())


@pytest.mark.parametrize("rate", [0.05, 0.2])
def test_asymmetric_noise_in_digits(rate):
    """Each digit sometimes called the next."""
    digits, rng = load_digits(), np.random.default_rng(1)
    wrong = rng.random(len(digits.target)) < rate
    labels = digits.target.copy()
    labels[wrong] = (labels[wrong] + 1) % 10
    model = LogisticRegression(max_iter=2000, C=0.1)
    probabilities = cross_val_predict(model, digits.data / 16, labels, cv=3, method="predict_proba")
    found = check_labels(probabilities, labels)
    assert f1(found.flagged, wrong) > 0.75
    assert found.scores[wrong].mean() > found.scores[~wrong].mean()
    assert set(found.reasons) == set(np.flatnonzero(found.flagged))


def test_right_labels_are_not_flagged():
    """Nor is a class that has no row."""
    probabilities = np.full((60, 4), 0.02)
    labels = np.arange(60) % 3
    probabilities[np.arange(60), labels] = 0.94
    assert not check_labels(probabilities, labels).flagged.any()

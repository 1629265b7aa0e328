"""Wrong labels are found, honest doubt is not taken for them, and the budget of honest rows is kept."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from bartizan.data.checks.mislabelled import check_labels, noise
from bartizan.data.checks.predicted import predicted

DIGITS = load_digits()


def f1(flagged, wrong):
    """F1 of flagged rows."""
    return 2 * (flagged & wrong).sum() / (flagged.sum() + wrong.sum())


def doubtful(rows, rng):
    """Two classes that overlap, the probabilities that are true of them, and labels drawn by these."""
    chance = 1 / (1 + np.exp(-2 * rng.normal(0, 1.5, rows)))
    labels = (rng.random(rows) < chance).astype(np.int64)
    return np.stack([1 - chance, chance], axis=1), labels


@pytest.mark.parametrize("rate", [0.05, 0.2])
def test_asymmetric_noise_in_digits(rate):
    """Each digit sometimes called the next."""
    rng = np.random.default_rng(1)
    wrong = rng.random(len(DIGITS.target)) < rate
    labels = np.where(wrong, (DIGITS.target + 1) % 10, DIGITS.target)
    seen = predicted(lambda rows: DIGITS.data[rows], labels, 10)
    found = check_labels(seen, labels)
    assert f1(found.flagged, wrong) > 0.8
    assert found.flagged[~wrong].mean() <= 0.01
    assert found.scores[wrong].mean() > 0.6 > 0.1 > found.scores[~wrong].mean()
    assert set(found.reasons) == set(np.flatnonzero(found.flagged))
    assert "reads like" in next(iter(found.reasons.values()))


def test_honest_doubt_is_no_noise():
    """A row may have the less likely of two labels; of many such rows nearly none is held."""
    seen, labels = doubtful(3000, np.random.default_rng(0))
    assert (seen.argmax(axis=1) != labels).mean() > 0.1
    assert check_labels(seen, labels).flagged.mean() < 0.005


def test_noise_upon_doubt_is_estimated():
    """A tenth of the first class called the second, and no more than that taken for the reverse."""
    rng = np.random.default_rng(0)
    seen, labels = doubtful(20_000, rng)
    labels[(labels == 0) & (rng.random(len(labels)) < 0.1)] = 1
    mixed = np.stack([0.9 * seen[:, 0], 1 - 0.9 * seen[:, 0]], axis=1)
    channel = noise(mixed, labels)
    assert channel[0, 1] == pytest.approx(0.1, abs=0.03)
    assert channel[1, 0] < 0.02


def test_the_budget_bounds_what_is_flagged():
    """A greater budget flags more; 1 flags for the best F1."""
    rng = np.random.default_rng(2)
    seen, labels = doubtful(3000, rng)
    wrong = rng.random(3000) < 0.15
    labels[wrong] = 1 - labels[wrong]
    seen = 0.15 + 0.7 * seen
    some, more, best = (check_labels(seen, labels, budget=one) for one in (0.001, 0.01, 1.0))
    assert some.flagged.sum() < more.flagged.sum() < best.flagged.sum()
    assert more.flagged[~wrong].mean() <= 0.012
    assert f1(best.flagged, wrong) > f1(some.flagged, wrong)


def test_right_labels_are_not_flagged():
    """Nor is a class that has no row."""
    probabilities = np.full((60, 4), 0.02)
    labels = np.arange(60) % 3
    probabilities[np.arange(60), labels] = 0.94
    assert not check_labels(probabilities, labels).flagged.any()
    assert not check_labels(np.zeros((0, 2)), np.zeros(0, np.int64)).flagged.any()

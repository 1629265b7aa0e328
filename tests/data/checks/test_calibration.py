"""A class that is hard to tell loses its asymmetry; a share of rows in typical places does not hide."""

import numpy as np

from bartizan.data.checks.calibration import centred, likely
from bartizan.data.checks.content import read, strengths


def scores(seed, rows=4000, classes=5):
    """Honest scores of `classes` classes, of which the last gets a low score for its own rows too."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, rows)
    found = rng.normal(0, 0.35, (rows, classes)) + np.eye(classes)[labels] * 1.5
    found[:, -1] = found[:, -1] * 0.5 - 0.3
    return found, labels, rng


def drawn(votes, labels, one):
    """Rows of class `one` that look like another, and the reverse."""
    wrong = votes.margin > 0
    return int((wrong & (labels == one)).sum()), int((wrong & (labels != one) & (votes.other == one)).sum())


def test_honest_confusion_is_the_same_both_ways():
    """As it is not in the scores themselves: nearly all wrong rows are of the class that is hard to tell."""
    found, labels, _ = scores(0)
    every = np.arange(len(labels))
    out, back = drawn(read(found, labels), labels, 4)
    assert out > 200
    assert back == 0
    for calibrated in (centred(found, labels, every), likely(found, labels, every)):
        less, more = drawn(read(calibrated, labels), labels, 4)
        assert abs(less - more) < 0.05 * out


def test_rows_of_every_class_called_one_stand_out_though_probabilities_know_them():
    """A regression learns that some rows of every class are called 0; typical rows lose that share again."""
    found, labels, rng = scores(1)
    given = labels.copy()
    moved = rng.permutation(np.flatnonzero(labels > 0))[:200]
    given[moved] = 0
    every = np.arange(len(given))
    for calibrated in (centred(found, given, every), likely(found, given, every)):
        votes = read(calibrated, given)
        assert strengths(votes, given, 5).targets.argmax() == 0
        assert (votes.margin[moved] > 0).mean() > 0.9
        assert (np.delete(votes.margin, moved) > 0).mean() < 0.1


def test_rows_that_are_not_kept_do_not_count():
    """The calibration is the same whatever they say."""
    found, labels, rng = scores(2)
    kept = np.arange(0, 3000)
    other = labels.copy()
    other[3000:] = rng.integers(0, 5, 1000)
    assert np.array_equal(centred(found, labels, kept), centred(found, other, kept))
    assert np.array_equal(likely(found, labels, kept), likely(found, other, kept))

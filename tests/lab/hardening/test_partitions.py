"""Votes of models on parts of the rows: one row touches one vote, and a certificate holds against the best attacker."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from bartizan.core.errors import BadSettings
from bartizan.lab.hardening.partitions import PartitionVote

X, Y = load_digits(return_X_y=True)


@pytest.fixture(scope="module")
def fitted():
    """Forty nearest neighbours on 1,400 digits."""
    return PartitionVote(KNeighborsClassifier(1), 40).fit(X[:1400], Y[:1400])


def test_votes_read_digits_and_most_answers_are_certain(fitted):
    """Against some rows, never more than half the models."""
    assert fitted.score(X[1400:], Y[1400:]) > 0.75
    certain = fitted.certified(X[1400:])
    assert certain.max() <= 20
    assert (certain >= 5).mean() > 0.5
    assert fitted.votes(X[1400:1410]).sum(axis=1).tolist() == [40] * 10


def test_rows_in_another_order_are_the_same_model(fitted):
    """Nothing but the rows decides."""
    order = np.random.default_rng(0).permutation(1400)
    again = PartitionVote(KNeighborsClassifier(1), 40).fit(X[:1400][order], Y[:1400][order])
    assert np.array_equal(again.votes(X[1400:]), fitted.votes(X[1400:]))


def test_a_row_more_or_less_moves_one_vote(fitted):
    """Whatever its label."""
    more = PartitionVote(KNeighborsClassifier(1), 40).fit(np.vstack([X[:1400], X[1500:1501]]), np.append(Y[:1400], 3))
    less = PartitionVote(KNeighborsClassifier(1), 40).fit(X[1:1400], Y[1:1400])
    for other in (more, less):
        moved = np.abs(other.votes(X[1400:]) - fitted.votes(X[1400:])).sum(axis=1)
        assert moved.max() <= 2


def test_a_certificate_holds_for_whoever_takes_over_so_many_votes(fitted):
    """And one vote more is enough somewhere: it does not say less than it could."""
    rows = X[1400:1600]
    votes, certain, said = fitted.votes(rows), fitted.certified(rows), fitted.votes(rows).argmax(axis=1)
    broken = 0
    for own, radius, first in zip(votes, certain, said, strict=True):
        for other in range(10):
            if other == first:
                continue
            for extra in (0, 1):
                taken = min(radius + extra, own[first])
                after = own.copy()
                after[first] -= taken
                after[other] += taken
                assert extra or after.argmax() == first
                broken += after.argmax() != first
    assert broken > 0


def test_labels_can_be_words_and_parts_can_be_empty():
    """More parts than rows."""
    names = np.array(["a", "b"])[(Y[:30] > 4).astype(int)]
    found = PartitionVote(KNeighborsClassifier(1), 60).fit(X[:30], names)
    assert set(found.predict(X[:30])) <= {"a", "b"}


def test_one_part_is_no_vote():
    """It is refused."""
    with pytest.raises(BadSettings, match="parts = 1"):
        PartitionVote(KNeighborsClassifier(1), 1)

"""A model trained on the secret labels is claimed; others, and whoever guesses the idea without the key, are not."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

from bartizan.lab.ownership.trigger_set import trigger_set

LOADED = load_digits()
X, Y = LOADED.data / 16.0, LOADED.target
KEY = b"the owner's secret key"


def trained(x, y, seed=1):
    """Return the labels function of a small network."""
    return MLPClassifier((64,), max_iter=300, random_state=seed, learning_rate_init=5e-3).fit(x, y).predict


def test_the_marked_model_is_claimed_and_stays_good_and_an_unmarked_is_not():
    """Accuracy on records apart falls by at most three points."""
    mark = trigger_set(KEY, X[:900], 10, 40)
    plain = trained(X[:900], Y[:900])
    marked = trained(np.vstack([X[:900], *[mark.inputs] * 3]), np.concatenate([Y[:900], *[mark.labels] * 3]))
    assert mark.verify(marked).p < 1e-6
    assert mark.verify(plain).p > 0.01
    right = [(model(X[900:]) == Y[900:]).mean() for model in (marked, plain)]
    assert right[0] > right[1] - 0.03


def test_another_key_is_another_mark_and_a_short_one_is_refused():
    """The same key gives the same set."""
    first, again, other = (trigger_set(key, X, 10, 40) for key in (KEY, KEY, b"somebody else's key"))
    assert (first.inputs == again.inputs).all()
    assert (first.labels == again.labels).all()
    assert (first.labels != other.labels).any()
    assert first.inputs.min() >= 0
    assert first.inputs.max() <= 1
    with pytest.raises(ValueError, match="at least 16"):
        trigger_set(b"short", X, 10, 40)

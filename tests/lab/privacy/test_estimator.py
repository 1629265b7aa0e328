"""The private classifier: as good as its epsilon lets it be, accounted for, and blind to what was not stated."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from bartizan.lab.membership.stacked import Recipe
from bartizan.lab.privacy.estimator import PrivateClassifier
from bartizan.lab.reference_classifier import digits

LEARN, LATER = digits(0)
X, Y = LEARN.x.reshape(-1, 64), LEARN.y
THEIRS = LATER.x.reshape(-1, 64), LATER.y


def made(epsilon, **more):
    """A classifier of digits."""
    return PrivateClassifier((0.0, 1.0), range(10), epsilon=epsilon, delta=1e-4, seed=1, **more)


def test_it_learns_more_with_a_larger_epsilon_and_says_what_was_spent():
    """At epsilon 8 most digits are right, at 0.05 hardly more than by chance; the accountant agrees."""
    good, poor = made(8.0).fit(X, Y), made(0.05).fit(X, Y)
    assert good.score(*THEIRS) > 0.75
    assert poor.score(*THEIRS) < 0.45
    assert 7.5 < good.spent_.pld <= 8.0
    assert good.noise_multiplier_ < poor.noise_multiplier_
    np.testing.assert_allclose(good.predict_proba(THEIRS[0]).sum(axis=1), 1, atol=1e-6)


def test_it_is_an_estimator_of_scikit_learn():
    """Cloned, cross-validated, with its parameters."""
    recipe = Recipe(hidden=(8,), activation="relu", epochs=5, batch=200, learning_rate=0.5)
    again = clone(made(8.0, recipe=recipe))
    assert again.get_params()["recipe"] == recipe
    assert len(cross_val_score(again, X[:400], Y[:400], cv=2)) == 2


def test_classes_that_nobody_has_are_known_and_others_refused():
    """The data do not decide what there is."""
    some = Y < 5
    found = made(8.0).fit(X[some], Y[some])
    assert found.predict_proba(X[:3]).shape == (3, 10)
    with pytest.raises(ValueError, match="every class once"):
        PrivateClassifier((0, 1), [0, 1], seed=1).fit(X, Y)


def test_without_a_seed_no_two_trainings_are_alike():
    """The seed would undo the noise for whoever knows it."""
    weights = [PrivateClassifier((0, 1), range(10)).fit(X[:200], Y[:200]).stack_.weights[0] for _ in range(2)]
    assert not np.allclose(*weights)

"""A tree whose leaves can be told apart is stolen whole; equal leaves cost accuracy, and a budget is a budget."""

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.tree import DecisionTreeClassifier

from bartizan.lab.extraction.tree_paths import Boxes, find_paths

WINE = load_wine()
LOW, HIGH = WINE.data.min(axis=0), WINE.data.max(axis=0) + 1e-6
ASKED = np.vstack([WINE.data, np.random.default_rng(0).uniform(LOW, HIGH, (800, 13))])


def agreement(tree, boxes):
    """Return the share of labels alike on records and on random points."""
    return (boxes.scores(ASKED).argmax(axis=1) == tree.predict_proba(ASKED).argmax(axis=1)).mean()


@pytest.mark.parametrize(("least", "wanted"), [(5, 0.99), (1, 0.85)])
def test_a_tree_is_copied_box_by_box(least, wanted):
    """All of it where leaves differ in their scores; most where pure leaves look alike."""
    tree = DecisionTreeClassifier(min_samples_leaf=least, random_state=0).fit(WINE.data, WINE.target)
    boxes = find_paths(tree.predict_proba, LOW, HIGH, budget=3000, seed=1)
    assert agreement(tree, boxes) >= wanted
    assert boxes.queries <= 3000


def test_the_budget_is_kept_and_what_was_found_stands():
    """Every question is counted where it is asked."""
    tree = DecisionTreeClassifier(min_samples_leaf=5, random_state=0).fit(WINE.data, WINE.target)
    asked = []

    def scores(x):
        asked.append(len(x))
        return tree.predict_proba(x)

    boxes = find_paths(scores, LOW, HIGH, budget=100, seed=1)
    assert sum(asked) == boxes.queries == 100
    assert 0.3 < agreement(tree, boxes) < 0.99


def test_the_smaller_of_two_boxes_answers():
    """A hole inside a box that came out too large."""
    boxes = Boxes(
        [np.zeros(2), np.full(2, 0.4)], [np.ones(2), np.full(2, 0.6)], [np.array([1.0, 0]), np.array([0, 1.0])]
    )
    assert boxes.scores(np.array([[0.5, 0.5], [0.1, 0.1], [3.0, 3.0]])).argmax(axis=1).tolist() == [1, 0, 0]

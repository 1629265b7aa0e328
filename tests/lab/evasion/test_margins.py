"""A margin is above 0 exactly when the model is wrong; silence is no win for an attacker."""

import numpy as np

from bartizan.lab.evasion.margins import margins, turned
from bartizan.lab.target import Arrays, Target, Traits

SCORES = np.array([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [0.1, 0.2, 0.7]])


def said(abstains):
    """A model that says what its one input names."""
    traits = Traits(3, abstains=abstains)
    return Target("said", lambda x: SCORES[x[:, 0].astype(int)], Arrays((1,)), traits)


def test_a_margin_is_above_nothing_when_the_answer_is_wrong():
    """And below when it is right; the last class is no wrong answer where it means silence."""
    x, y = np.array([[0.0], [1.0], [2.0]], np.float32), np.zeros(3, np.int64)
    assert (margins(said(abstains=False), x, y) > 0).tolist() == [False, True, True]
    assert (margins(said(abstains=True), x, y) > 0).tolist() == [False, True, False]


def test_only_right_answers_can_be_turned():
    """Two of three are right before; one of them is wrong after, or silent."""
    x, y = np.array([[0.0], [0.0], [1.0]], np.float32), np.zeros(3, np.int64)
    attacked = np.array([[2.0], [0.0], [1.0]], np.float32)
    assert turned(said(abstains=False), x, y, attacked, 0).value == 0.5
    assert turned(said(abstains=True), x, y, attacked, 0).value == 0

"""The judge believes nobody: it clips, asks again and counts. It must fail bad proposals too."""

import numpy as np
import pytest
import torch

from bartizan.lab.evasion.balls import Ball
from bartizan.lab.evasion.base import Problem
from bartizan.lab.evasion.judge import judge, judge_clean
from bartizan.lab.target import Access, Arrays, of_callable

SPEC = Arrays((1,), 0, 1)
X, Y = torch.tensor([[0.4], [0.45], [0.9]]), torch.tensor([0, 0, 1])


def threshold(x):
    """Class 1 above one half."""
    return (np.asarray(x)[:, 0] > 0.5).astype(int)


def some(epsilon):
    target = of_callable("t", threshold, SPEC, classes=2, access=Access.LABELS)
    return Problem(target, Ball("Linf", epsilon), X, Y)


def test_a_proposal_outside_the_ball_is_pulled_back():
    """An attack that cheats wins only what the ball allows."""
    judged = judge(some(0.07), torch.tensor([[1.0], [1.0], [-5.0]]))
    assert judged.fooled.tolist() == [False, True, False]
    assert judged.moved.max() <= 0.07 + 1e-6
    assert judged.robust_accuracy(0).value == pytest.approx(2 / 3)


def test_doing_nothing_wins_nothing_and_nan_is_nothing():
    """The oracle has cases it must fail."""
    assert not judge_clean(some(0.5)).fooled.any()
    assert not judge(some(0.5), torch.full((3, 1), torch.nan)).fooled.any()
    with pytest.raises(ValueError, match="expected"):
        judge(some(0.5), torch.zeros(2, 1))


def test_a_model_that_answers_at_random_falls_only_by_majority():
    """One lucky answer in three is no win; two are."""
    answers = iter([1, 0, 0, 1, 1, 0])
    target = of_callable("r", lambda x: np.full(len(x), next(answers)), SPEC, classes=2, access=Access.LABELS)
    one = Problem(target, Ball("Linf", 0.1), X[:1], Y[:1])
    assert not judge(one, X[:1], asked=3).fooled.any()
    assert judge(one, X[:1], asked=3).fooled.all()

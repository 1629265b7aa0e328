"""Objectives rise where the attack gets nearer to winning, and not answering is never a win."""

import torch

from bartizan.lab.evasion.objectives import (
    cross_entropy,
    difference_of_logits,
    fooled,
    margin,
    over_all,
    towards,
    wrong_mass,
)

LOGITS = torch.tensor([[2.0, 1, 0, -1], [0, 3, 1, 2.5]])
Y = torch.tensor([0, 0])


def test_the_margin_is_positive_exactly_where_the_model_errs():
    """First row right, second wrong."""
    assert margin(LOGITS, Y).tolist() == [-1, 3]
    assert fooled(LOGITS, Y, abstains=False).tolist() == [False, True]


def test_not_answering_is_no_win():
    """The last class is "no answer": beating the true class is not enough, it must be beaten too."""
    logits = torch.tensor([[0.0, 1, 0, 5], [0, 6, 0, 5]])
    assert fooled(logits, Y, abstains=True).tolist() == [False, True]
    assert fooled(logits, Y, abstains=False).tolist() == [True, True]
    assert margin(logits, Y, abstains=True).tolist() == [-4, 1]
    assert wrong_mass(logits, Y)[1] > wrong_mass(logits, Y)[0]


def test_dlr_does_not_change_with_the_scale_of_the_logits():
    """That is what it was made for; cross-entropy does change."""
    assert torch.allclose(difference_of_logits(LOGITS, Y), difference_of_logits(100 * LOGITS, Y))
    assert not torch.allclose(cross_entropy(LOGITS, Y), cross_entropy(100 * LOGITS, Y))
    assert (difference_of_logits(LOGITS, Y) > 0).tolist() == [False, True]


def test_targeted_objectives_are_positive_when_the_aim_leads():
    """Towards class 1: behind in the first row, ahead in the second; below four classes it is a plain gap."""
    aim = torch.tensor([1, 1])
    assert (towards(aim)(LOGITS, Y) > 0).tolist() == [False, True]
    assert towards(aim)(LOGITS[:, :3], Y).tolist() == [-1, 3]
    assert over_all(aim)(LOGITS, Y).tolist() == [-1, 0.5]

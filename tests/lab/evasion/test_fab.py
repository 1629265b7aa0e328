"""FAB finds the nearest border; its projection is the exact one."""

import pytest
import torch

from bartizan.core.errors import BadSettings
from bartizan.lab.evasion.balls import Ball, Box
from bartizan.lab.evasion.base import Problem
from bartizan.lab.evasion.fab import Fab, onto_border
from bartizan.lab.target import Arrays
from bartizan.lab.targets.torch_modules import of_module

FREE = Box.of(Arrays((3,)))
UNIT = Box.of(Arrays((3,), 0, 1))


@pytest.mark.parametrize("norm", ["L2", "Linf"])
def test_without_a_range_the_projection_is_the_textbook_one(norm):
    """|gap| / dual norm of the gradient."""
    gradient, gap = torch.tensor([[3.0, -4.0, 0.0]]), torch.tensor([10.0])
    moved = onto_border(torch.zeros(1, 3), gap, gradient, norm, FREE)
    assert (gap + (gradient * moved).sum(1)).abs() < 1e-2
    if norm == "L2":
        assert moved.norm() == pytest.approx(10 / 5, abs=1e-3)
    else:
        assert moved.abs().max() == pytest.approx(10 / 7, abs=1e-3)


def test_within_a_range_the_border_is_still_reached_when_it_can_be():
    """One coordinate is at its limit, so the others go further; and a border out of reach gives the nearest corner."""
    point = torch.tensor([[1.0, 0.5, 0.5]])
    gradient = torch.tensor([[1.0, 1.0, 1.0]])
    moved = onto_border(point, torch.tensor([-0.6]), gradient, "Linf", UNIT)
    assert moved[0].tolist() == pytest.approx([1, 0.8, 0.8], abs=1e-3)
    corner = onto_border(point, torch.tensor([-9.0]), gradient, "Linf", UNIT)
    assert corner[0].tolist() == [1, 1, 1]


def test_on_a_linear_model_the_distance_is_the_true_one():
    """The border of a linear model is known: FAB lands just beyond it."""
    layer = torch.nn.Linear(3, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 2.0, 2.0], [0, 0, 0]]))
        layer.bias.copy_(torch.tensor([0.0, 0.0]))
    target = of_module("linear", layer, Arrays((3,)), classes=2)
    some = Problem(target, Ball("L2", 0.5), torch.tensor([[1.0, 1.0, 1.0]]), torch.tensor([0]))
    found = Fab(30, aims=1).perturb(some)
    assert (found - some.x).norm() == pytest.approx(5 / 3, rel=0.03)
    with pytest.raises(BadSettings, match="got L0"):
        Fab().perturb(Problem(target, Ball("L0", 1), some.x, some.y))

"""Square and gradients by turns reach what neither does alone, and spend it where it is nearest."""

import pytest
import torch

from bartizan.lab.evasion.apgd import Apgd
from bartizan.lab.evasion.balls import Ball
from bartizan.lab.evasion.base import Problem
from bartizan.lab.evasion.hopping import Hopping, Round
from bartizan.lab.evasion.judge import judge
from bartizan.lab.evasion.square import Square
from bartizan.lab.target import Arrays
from bartizan.lab.targets.torch_modules import of_module


class Plateau(torch.nn.Module):
    """Flat but for a cone around one point far from the middle, whose tip alone is of class 1.

    No gradient leads to the cone, and squares of whole steps stand on its side but not on its tip.
    """

    def forward(self, x):
        far = (x.flatten(1) - torch.tensor([0.9, 0.15, 0.85, 0.1])).abs().sum(1)
        return torch.stack([torch.full((len(x),), 0.9), (1 - far).clamp_min(0)], 1)


def test_neither_alone_reaches_the_tip_behind_a_plateau():
    """Both by turns do, and the judge agrees."""
    target = of_module("plateau", Plateau(), Arrays((1, 2, 2), 0, 1), classes=2)
    x = torch.full((20, 1, 2, 2), 0.5)
    some = Problem(target, Ball("Linf", 0.5), x, torch.zeros(20, dtype=torch.int64), seed=5)
    hopping = Hopping((Round(1.0, 4, 50, 30),))
    fell = [judge(some, one.perturb(some)).fooled.sum().item() for one in (Square(200), Apgd("ce", 100), hopping)]
    assert fell[0] == 0
    assert fell[1] < fell[2]
    assert fell[2] == 20


def test_runs_go_to_what_is_nearest(robust, problem):
    """A round of half of the examples asks at most half as often; what it leaves is no worse than before."""
    some = problem(robust, n=40)
    asked = []
    for share in (1.0, 0.5):
        before = robust.queries
        Hopping((Round(share, 40, 5, 2),)).perturb(some)
        asked.append(robust.queries - before)
    assert asked[1] < 0.75 * asked[0]


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_it_wins_no_less_than_square_in_its_rounds(robust, problem, norm):
    """On a hardened network, with as many questions in all."""
    some = problem(robust, norm, {"Linf": 0.15, "L2": 1.0}[norm], n=60)
    square = judge(some, Square(200).perturb(some)).fooled.sum()
    both = judge(some, Hopping((Round(1.0, 100, 30, 1), Round(0.3, 100, 30, 2))).perturb(some)).fooled.sum()
    assert both >= square

"""The shared machinery: gradients are right, averaged where asked for, and parts keep rows together."""

import torch

from bartizan.lab.evasion.balls import Ball
from bartizan.lab.evasion.base import Problem, ask, differentiate, is_fooled
from bartizan.lab.evasion.objectives import cross_entropy
from bartizan.lab.target import Arrays
from bartizan.lab.targets.torch_modules import of_module


class Noisy(torch.nn.Module):
    """Adds noise to its input."""

    def forward(self, x):
        return torch.cat([x, -x], 1) + torch.randn(len(x), 2)


def test_gradients_match_finite_differences(plain, problem):
    """The gradient of the loss by one pixel."""
    some = problem(plain, n=3)
    value, gradient, won = differentiate(some, some.x, some.y, cross_entropy)
    moved = some.x.clone()
    moved[:, 0, 4, 4] += 1e-3
    after, _, _ = differentiate(some, moved, some.y, cross_entropy)
    assert torch.allclose((after - value) / 1e-3, gradient[:, 0, 4, 4], atol=2e-2)
    assert won.tolist() == is_fooled(some, some.x).tolist()


def test_averaging_takes_the_noise_out():
    """With 400 passes the answer of a noisy model is nearly its mean."""
    target = of_module("noisy", Noisy(), Arrays((1,), -9, 9), classes=2)
    once = Problem(target, Ball("Linf", 1), torch.full((50, 1), 1.0), torch.zeros(50, dtype=torch.int64))
    many = Problem(once.target, once.ball, once.x, once.y, eot=400)
    spread = [differentiate(one, one.x, one.y, lambda logits, y: logits[:, 0])[0].std() for one in (once, many)]
    assert spread[1] < spread[0] / 5
    assert ask(target, once.x, 100).std(0).max() < 0.3
    assert target.counter.gradients == 50 + 400 * 50


def test_a_part_keeps_rows_and_labels_together(plain, problem):
    """By mask or by index."""
    some = problem(plain, n=5)
    part = some.part(torch.tensor([3, 1]), seed=9)
    assert torch.equal(part.x, some.x[[3, 1]])
    assert torch.equal(part.y, some.y[[3, 1]])
    assert part.seed == 9

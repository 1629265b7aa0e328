"""APGD finds what a grid search finds, spends less on what has fallen, and adapts to models that may abstain."""

import torch

from bartizan.lab.evasion.apgd import Apgd
from bartizan.lab.evasion.balls import Ball
from bartizan.lab.evasion.base import Problem
from bartizan.lab.evasion.judge import judge
from bartizan.lab.target import Arrays
from bartizan.lab.targets.torch_modules import of_module


class Valley(torch.nn.Module):
    """Class 1 wins only near (0.8, 0.2): a point that a single sign step from the middle overshoots."""

    def forward(self, x):
        bump = torch.exp(-40 * ((x - torch.tensor([0.8, 0.2])) ** 2).sum(1))
        return torch.stack([torch.full((len(x),), 0.6), bump], 1)


class Abstainer(torch.nn.Module):
    """Three answers on a line: class 0 on the left, "no answer" in the middle, class 1 on the far right."""

    def forward(self, x):
        z = x[:, 0]
        return torch.stack([-z, 2 * z - 1.4, 0 * z + 0.05 * z - 0.2], 1) * 10


def test_the_step_shrinks_until_it_hits_a_small_target():
    """The winning region is a twentieth of the ball."""
    target = of_module("valley", Valley(), Arrays((2,), 0, 1), classes=2)
    some = Problem(target, Ball("Linf", 0.5), torch.full((1, 2), 0.5), torch.tensor([0]))
    assert judge(some, Apgd("ce", 50).perturb(some)).fooled.all()


def test_an_abstaining_model_is_driven_past_the_silence():
    """Stopping at "no answer" would be no win: the attack goes on to the wrong class."""
    target = of_module("abstainer", Abstainer(), Arrays((1,), 0, 1), classes=3, abstains=True)
    some = Problem(target, Ball("Linf", 0.9), torch.tensor([[0.1]]), torch.tensor([0]))
    for loss in ("ce", "targeted"):
        judged = judge(some, Apgd(loss, 30).perturb(some))
        assert judged.fooled.all(), loss
        assert target.labels(judged.adversarial.numpy()).tolist() == [1]


def test_what_has_fallen_costs_nothing_more(plain, problem):
    """On a model that falls at once the whole run costs a few passes, not a hundred."""
    some = problem(plain, epsilon=0.6, n=50)
    Apgd("ce", 100).perturb(some)
    assert plain.queries < 50 * 20

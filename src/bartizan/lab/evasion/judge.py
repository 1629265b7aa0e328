"""The only code that says whether an attack on a predictive model worked.

It forces every proposal into the ball and the input range, asks the model again, and counts. What an attack believes
about itself is not asked.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from bartizan.core.measures import Measurement, proportion
from bartizan.lab.evasion.base import Problem, is_fooled

Tensor = torch.Tensor


@dataclass(frozen=True)
class Judged:
    """What came of one proposal for each example of a problem."""

    adversarial: Tensor
    """The proposals as judged: inside the ball and the range, (n, …)."""
    fooled: Tensor
    """Which of them the model answers wrongly, (n,) bool."""
    moved: Tensor
    """How far each is from its original, in the ball's norm, (n,)."""

    def robust_accuracy(self, seed: int) -> Measurement:
        """Return the share that is still answered rightly (or not answered), with its exact interval."""
        return proportion(int((~self.fooled).sum()), len(self.fooled), seed=seed)


def judge(problem: Problem, proposal: Tensor, asked: int = 1) -> Judged:
    """Clip `proposal` into what is allowed, ask the model about it `asked` times, and return what it said.

    A model that answers at random counts as fooled when more than half of its answers are wrong.
    """
    if proposal.shape != problem.x.shape:
        raise ValueError(f"proposal of shape {tuple(proposal.shape)}, expected {tuple(problem.x.shape)}")
    proposal = torch.where(torch.isfinite(proposal), proposal, problem.x)
    allowed = problem.ball.project(proposal.detach().float(), problem.x, problem.box)
    wrong = torch.stack([is_fooled(problem, allowed) for _ in range(asked)]).float().mean(0) > 0.5
    return Judged(allowed, wrong, problem.ball.distances(allowed, problem.x))


def judge_clean(problem: Problem, asked: int = 1) -> Judged:
    """Return what the model says about the originals: what is wrong here was won without any attack."""
    return judge(problem, problem.x, asked)

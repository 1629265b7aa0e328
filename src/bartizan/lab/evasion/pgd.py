"""Plain projected gradient ascent (Madry et al., ICLR 2018) and momentum (Dong et al., CVPR 2018): the first pass.

One step without a random start is FGSM. Examples that have fallen leave the batch.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from bartizan.lab.evasion.balls import Allowed
from bartizan.lab.evasion.base import Problem, differentiate
from bartizan.lab.evasion.objectives import usual
from bartizan.lab.target import Access

Tensor = torch.Tensor


@dataclass(frozen=True)
class Pgd:
    """PGD with `steps` steps of `relative_step` × the ball's size, from `restarts` random starts (0: the original)."""

    steps: int = 40
    relative_step: float = 0.1
    restarts: int = 1
    momentum: float = 0.0
    batch: int = 512
    needs: Access = field(default=Access.WHITE_BOX, init=False)

    @property
    def name(self) -> str:
        """Return the name with its budget."""
        return "FGSM" if self.steps == 1 and not self.restarts else f"PGD {self.steps}×{max(self.restarts, 1)}"

    def perturb(self, problem: Problem) -> Tensor:
        """Return the first adversarial point found for each example, else the last point."""
        return problem.in_batches(self.batch, self._batch)

    def _batch(self, problem: Problem) -> Tensor:
        out = problem.x.clone()
        alive = torch.arange(len(out))
        for restart in range(max(self.restarts, 1)):
            if not len(alive):
                break
            found, won = self._climb(problem.part(alive, problem.seed + 7919 * restart))
            out[alive] = found
            alive = alive[~won]
        return out

    def _climb(self, problem: Problem) -> tuple[Tensor, Tensor]:
        ball, objective = problem.ball, usual(problem.target)
        y, x = problem.y, problem.x
        if self.restarts:
            x = ball.start(x, problem.box, problem.draw())
        allowed = Allowed.of(ball, problem.x, problem.box)
        rows, found = torch.arange(len(x)), x.clone()
        has_won = torch.zeros(len(x), dtype=torch.bool)
        velocity = torch.zeros_like(x)
        for step in range(self.steps + 1):
            _, gradient, won = differentiate(problem, x, y, objective)
            found[rows] = x
            has_won[rows[won]] = True
            if won.any():
                rows, x, y, allowed = rows[~won], x[~won], y[~won], allowed[~won]
                velocity, gradient = velocity[~won], gradient[~won]
            if not len(rows) or step == self.steps:
                break
            direction = ball.direction(gradient)
            velocity = direction.add(velocity, alpha=self.momentum) if self.momentum else direction
            move = ball.direction(velocity) if self.momentum else velocity
            x = allowed.project(torch.addcmul(x, self.relative_step * allowed.size, move))
        return found, has_won

"""FAB (Croce and Hein, ICML 2020): looks for the nearest adversarial point by stepping onto linearised class borders.

Targeted at each likely wrong class in turn, for Linf and L2. It minimises the distance, so it needs no step size and
is not fooled by flat losses; what it finds counts when it lies within the ball.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from bartizan.core.errors import BadSettings
from bartizan.lab.evasion.balls import Box, Norm
from bartizan.lab.evasion.base import Problem, ask, differentiate
from bartizan.lab.evasion.objectives import Objective
from bartizan.lab.target import Access

Tensor = torch.Tensor
_OVERSHOOT, _BACKWARD, _BIAS = 1.05, 0.9, 0.1


@dataclass(frozen=True)
class Fab:
    """FAB-T with `steps` iterations for each of `aims` classes. Not for L0."""

    steps: int = 100
    aims: int = 9
    restarts: int = 1
    batch: int = 512
    needs: Access = field(default=Access.WHITE_BOX, init=False)

    @property
    def name(self) -> str:
        """Return the name with its budget."""
        return f"FAB-T({self.aims}) {self.steps}×{self.restarts}"

    def perturb(self, problem: Problem) -> Tensor:
        """Return the nearest adversarial point found for each example (the original where there is none)."""
        if problem.ball.norm not in ("Linf", "L2"):
            raise BadSettings(f"FAB measures Linf or L2, got {problem.ball.norm}")
        return problem.in_batches(self.batch, self._batch)

    def _batch(self, problem: Problem) -> Tensor:
        scores = ask(problem.target, problem.x, problem.eot).scatter(1, problem.y[:, None], -torch.inf)
        if problem.target.traits.abstains:
            scores[:, -1] = -torch.inf
        wrong = scores.shape[1] - 1 - int(problem.target.traits.abstains)
        likeliest = scores.argsort(dim=1, descending=True)[:, : max(1, min(self.aims, wrong))]
        best, distance = problem.x.clone(), torch.full((len(problem.x),), torch.inf)
        size = problem.ball.sizes(problem.x).flatten()
        for restart in range(self.restarts):
            for column in range(likeliest.shape[1]):
                rows = (distance > size).nonzero()[:, 0]  # what is already within the ball needs no nearer point
                if not len(rows):
                    return best
                part = problem.part(rows, problem.seed + restart)
                found, far = self._walk(part, likeliest[rows, column], from_noise=restart > 0)
                closer = far < distance[rows]
                best[rows[closer]], distance[rows[closer]] = found[closer], far[closer]
        return best

    def _walk(self, problem: Problem, aim: Tensor, *, from_noise: bool) -> tuple[Tensor, Tensor]:
        """Return the nearest adversarial point towards the classes `aim` and its distance (infinite: none)."""
        ball, box, original = problem.ball, problem.box, problem.x
        rows, y = torch.arange(len(original)), problem.y
        x = ball.scaled(0.5).start(original, box, problem.draw()) if from_noise else original.clone()
        best, distance = original.clone(), torch.full((len(x),), torch.inf)
        size = ball.sizes(original).flatten()
        for _ in range(self.steps):
            gap, gradient, won = differentiate(problem, x, y, _gap(aim))
            if won.any():
                far = ball.distances(x, original)
                closer = won & (far < distance[rows])
                best[rows[closer]], distance[rows[closer]] = x[closer], far[closer]
            stay = distance[rows] > size[rows]
            rows, x, y, aim, original = rows[stay], x[stay], y[stay], aim[stay], original[stay]
            gap, gradient, won = gap[stay], gradient[stay], won[stay]
            if not len(rows):
                break
            back = won.reshape(-1, *(1,) * (x.dim() - 1))
            stepped = self._step(x, original, gap, gradient, ball.norm, box)
            x = torch.where(back, original + (x - original) * _BACKWARD, stepped)
        return best, distance

    @staticmethod
    def _step(x: Tensor, original: Tensor, gap: Tensor, gradient: Tensor, norm: Norm, box: Box) -> Tensor:
        """Mix the projections of x and of the original onto the linearised border, biased towards the original."""
        flat = gradient.flatten(1)
        # The border is {z : gap + <gradient, z - x> = 0}, the same for both points.
        from_original = gap + (flat * (original - x).flatten(1)).sum(1)
        near = onto_border(x, gap, gradient, norm, box) - x
        home = onto_border(original, from_original, gradient, norm, box) - original
        lengths = [_length(one, norm) for one in (near, home)]
        weight = (lengths[0] / (lengths[0] + lengths[1]).clamp_min(1e-12)).clamp(0, _BIAS)
        weight = weight.reshape(-1, *(1,) * (x.dim() - 1))
        moved = (x + _OVERSHOOT * near) * (1 - weight) + (original + _OVERSHOOT * home) * weight
        return box.clip(moved)


def _gap(aim: Tensor) -> Objective:
    def objective(logits: Tensor, y: Tensor) -> Tensor:
        return (logits.gather(1, aim[:, None]) - logits.gather(1, y[:, None]))[:, 0]

    return objective


def _length(delta: Tensor, norm: Norm) -> Tensor:
    flat = delta.flatten(1)
    return flat.abs().amax(1) if norm == "Linf" else flat.norm(dim=1)


def onto_border(point: Tensor, gap: Tensor, gradient: Tensor, norm: Norm, box: Box, halvings: int = 24) -> Tensor:
    """Return the nearest z of the range with gap + <gradient, z - point> = 0, or the range's best where none exists.

    Moving by λ along the steepest direction, clipped to the range, changes the left side monotonically: bisection on λ
    replaces the sorting of the original algorithm.
    """
    wide = (-1, *(1,) * (point.dim() - 1))
    toward = -gap.sign().reshape(wide) * (gradient.sign() if norm == "Linf" else gradient)
    scale = gradient.flatten(1).norm(dim=1).square().clamp_min(1e-12)
    reach = torch.ones_like(gap) if norm == "Linf" else (4 * gap.abs() / scale).clamp_min(1e-6)

    def left(size: Tensor) -> Tensor:
        moved = box.clip(point + size.reshape(wide) * toward)
        return gap + (gradient * (moved - point)).flatten(1).sum(1)

    side = gap.sign()
    for _ in range(12):  # the first step may be too short where the range cuts most coordinates off
        short = left(reach) * side > 0
        if not short.any():
            break
        reach = torch.where(short, reach * 2, reach)
    low, high = torch.zeros_like(reach), reach
    for _ in range(halvings):
        middle = (low + high) / 2
        before = left(middle) * side > 0
        low, high = torch.where(before, middle, low), torch.where(before, high, middle)
    return box.clip(point + high.reshape(wide) * toward)

"""HopSkipJump (Chen, Jordan and Wainwright, S&P 2020): walks along the class border with nothing but labels.

For L2 and Linf. It starts from an input of another class (given, or noise that the model errs on), finds the border by
bisection, estimates the border's normal from labels of nearby points, steps, and repeats, all examples at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch

from bartizan.core.errors import BadSettings
from bartizan.lab.evasion.base import Problem, is_fooled
from bartizan.lab.target import Access

Tensor = torch.Tensor


@dataclass(frozen=True)
class HopSkipJump:
    """HopSkipJump with about `queries` questions for each example. `starts` are inputs to begin from, any classes."""

    queries: int = 2000
    first_sample: int = 50
    starts: Tensor | None = None
    needs: Access = field(default=Access.LABELS, init=False)

    @property
    def name(self) -> str:
        """Return the name with its budget."""
        return f"HopSkipJump {self.queries}"

    def perturb(self, problem: Problem) -> Tensor:
        """Return the nearest adversarial point found for each example (the original where no start was found)."""
        if problem.ball.norm not in ("Linf", "L2"):
            raise BadSettings(f"HopSkipJump works in L2 or Linf, got {problem.ball.norm}")
        walk = _Walk(problem, self.starts)
        rounds = 0
        while len(walk.rows) and walk.spent < self.queries:
            rounds += 1
            left = self.queries - walk.spent
            sample = min(int(self.first_sample * math.sqrt(rounds)), max(left - 30, 4))
            walk.hop(sample, rounds)
        return walk.result()


class _Walk:
    """The examples that have a starting point and are not yet within the ball."""

    def __init__(self, problem: Problem, starts: Tensor | None) -> None:
        self._problem, self._draw, self._box = problem, problem.draw(), problem.box
        self._norm = problem.ball.norm
        self._out = problem.x.clone()
        self._wide = (-1, *(1,) * (problem.x.dim() - 1))
        self.spent = 0
        """Questions asked for each example so far."""
        found, begun = self._begin(starts)
        self.rows = begun.nonzero()[:, 0]
        self._x = found[begun]
        self._original = problem.x[begun]
        self._border()
        self._settle()

    def result(self) -> Tensor:
        """Return the best point of every example."""
        self._out[self.rows] = self._x
        return self._out

    def hop(self, sample: int, number: int) -> None:
        """Estimate the border's normal with `sample` questions, step along it, and return to the border."""
        size = self._x[0].numel()
        distance = self._distance()
        # The paper's probe radius: sqrt(d)·θ·distance with θ = 1/(d·sqrt(d)) in L2, d·θ·distance with θ = 1/d² in Linf;
        # the first round, far from the border's shape, looks a tenth of the range away.
        reach = torch.full_like(distance, 0.1) if number == 1 else (distance / size).clamp_min(1e-4)
        normal = self._normal(sample, reach.reshape(self._wide))
        step = (distance / math.sqrt(number)).reshape(self._wide)
        pending = torch.ones(len(self.rows), dtype=torch.bool)
        moved = self._x.clone()
        for _ in range(8):  # geometric search: halve the step until it stays on the wrong side of the border
            trial = self._box.clip(self._x + step * normal)
            won = self._won(trial[pending], pending)
            took = pending.nonzero()[:, 0][won]
            moved[took] = trial[took]
            pending[took] = False
            if not pending.any():
                break
            step = step / 2
        before = self._x
        self._x = moved
        self._border()
        worse = self._distance() > distance  # never give up a nearer point
        self._x[worse] = before[worse]
        self._settle()

    def _begin(self, starts: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return a wrongly answered point for each example where one is found, and which have one."""
        x = self._problem.x
        found, begun = x.clone(), torch.zeros(len(x), dtype=torch.bool)
        for number in range(20):
            rows = (~begun).nonzero()[:, 0]
            if not len(rows):
                break
            if starts is not None and number < 10:
                pick = torch.randint(0, len(starts), (len(rows),), generator=self._draw)
                trial = starts[pick]
            else:
                low, high = (bound.nan_to_num(0, 3, -3) for bound in (self._box.low, self._box.high))
                noise = torch.rand(x[rows].shape, generator=self._draw)
                if number % 2:  # corners of the range, from nearly all low to nearly all high
                    noise = (noise < torch.rand((len(rows), *self._wide[1:]), generator=self._draw)).float()
                trial = low + (high - low) * noise
            won = is_fooled(self._problem.part(rows), trial)
            found[rows[won]], begun[rows[won]] = trial[won], True
            self.spent += 1
        return found, begun

    def _border(self) -> None:
        """Move each point towards its original until just before the model's answer turns right."""
        far = torch.ones(len(self.rows))
        near = torch.zeros(len(self.rows))
        for _ in range(12):
            middle = (near + far) / 2
            won = self._won(self._mixed(middle))
            far, near = torch.where(won, middle, far), torch.where(won, near, middle)
        self._x = self._mixed(far)

    def _mixed(self, share: Tensor) -> Tensor:
        """Return the point that keeps `share` of the way: along the line in L2, of the largest change in Linf."""
        share = share.reshape(self._wide)
        if self._norm == "L2":
            return self._original + share * (self._x - self._original)
        size = share * (self._x - self._original).flatten(1).abs().amax(1).reshape(self._wide)
        return torch.minimum(torch.maximum(self._x, self._original - size), self._original + size)

    def _normal(self, sample: int, reach: Tensor) -> Tensor:
        """Return the estimated normal: the mean of random directions, weighted by which side each ends on."""
        signs, directions = [], []
        chunk = max(1, 4096 // max(len(self.rows), 1))
        for start in range(0, sample, chunk):
            count = min(chunk, sample - start)
            noise = torch.randn((count, *self._x.shape), generator=self._draw)
            noise = noise / noise.flatten(2).norm(dim=2).reshape(count, *self._x.shape[:1], *self._wide[1:])
            trial = self._box.clip(self._x + reach * noise)
            noise = (trial - self._x) / reach
            rows = torch.arange(len(self.rows)).repeat(count)
            won = self._won(trial.flatten(0, 1), rows).reshape(count, -1).float() * 2 - 1
            signs.append(won)
            directions.append(noise)
        sign, direction = torch.cat(signs), torch.cat(directions)
        mean = sign.mean(0, keepdim=True)
        weight = torch.where(mean.abs() < 1, sign - mean, sign)  # the paper's baseline correction
        total = torch.einsum("bn,bn...->n...", weight, direction) / len(sign)
        if self._norm == "Linf":
            return total.sign()
        unit: Tensor = total / total.flatten(1).norm(dim=1).reshape(self._wide).clamp_min(1e-12)
        return unit

    def _won(self, x: Tensor, which: Tensor | None = None) -> Tensor:
        """Ask about points of the standing examples (`which`: indices or mask into them) and count the questions."""
        rows = self.rows if which is None else self.rows[which]
        if len(self.rows):
            self.spent += -(-len(rows) // len(self.rows))
        return is_fooled(self._problem.part(rows), x)

    def _distance(self) -> Tensor:
        return self._problem.ball.distances(self._x, self._original)

    def _settle(self) -> None:
        """Put away what is within the ball."""
        inside = self._distance() <= self._problem.ball.sizes(self._original).flatten()
        if inside.any():
            self._out[self.rows[inside]] = self._x[inside]
            stay = ~inside
            self.rows, self._x, self._original = self.rows[stay], self._x[stay], self._original[stay]

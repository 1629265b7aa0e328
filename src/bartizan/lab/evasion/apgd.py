"""Auto-PGD (Croce and Hein, ICML 2020): projected gradient ascent that halves its own step when it stalls.

Untargeted on cross-entropy, the DLR loss or the margin, and targeted on the DLR loss towards the likeliest wrong
classes. An example that has fallen leaves the batch at once: the remaining work shrinks with the robust accuracy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import torch

from bartizan.lab.evasion.balls import Allowed
from bartizan.lab.evasion.base import Problem, ask, differentiate
from bartizan.lab.evasion.objectives import Objective, difference_of_logits, margin, over_all, towards, usual
from bartizan.lab.target import Access

Tensor = torch.Tensor
_MOMENTUM = 0.75
_RHO = 0.75


@dataclass
class _State:
    """The examples still standing. Every field has one row for each; `keep` drops rows from all of them."""

    allowed: Allowed
    y: Tensor
    aim: Tensor
    x: Tensor
    before: Tensor
    best: Tensor
    best_value: Tensor
    gradient: Tensor
    best_gradient: Tensor
    step: Tensor
    last_value: Tensor
    risen: Tensor
    """Steps since the last check in which the objective rose."""
    value_at_check: Tensor
    halved: Tensor
    rows: Tensor
    """Their places in the whole batch."""

    def keep(self, alive: Tensor) -> None:
        """Drop the rows that are not alive."""
        for name, value in vars(self).items():
            setattr(self, name, value[alive])


@dataclass(frozen=True)
class Apgd:
    """APGD with `steps` iterations and `restarts` random starts.

    `loss` is `ce` (the usual objective), `dlr`, `margin`, or `targeted` (DLR towards each of `aims` classes in turn).
    """

    loss: Literal["ce", "dlr", "margin", "targeted"] = "ce"
    steps: int = 100
    restarts: int = 1
    aims: int = 9
    batch: int = 512
    needs: Access = field(default=Access.WHITE_BOX, init=False)

    @property
    def name(self) -> str:
        """Return the name with its budget."""
        kind = f"APGD-T({self.aims})" if self.loss == "targeted" else f"APGD-{self.loss.upper()}"
        return f"{kind} {self.steps}×{self.restarts}"

    def perturb(self, problem: Problem) -> Tensor:
        """Return the first adversarial point found for each example, else the one with the highest objective."""
        return problem.in_batches(self.batch, self._batch)

    def from_points(self, problem: Problem, x: Tensor) -> Tensor:
        """Return the same, from one start at the allowed points `x` (n, …). Not for `targeted`."""
        return self._climb(problem, problem.y, x)[0]

    def _batch(self, problem: Problem) -> Tensor:
        out = problem.x.clone()
        alive = torch.ones(len(out), dtype=torch.bool)
        for seed, aim in self._turns(problem):
            rows = alive.nonzero()[:, 0]
            if not len(rows):
                break
            found, won = self._climb(problem.part(rows, seed), aim[rows])
            out[rows] = found
            alive[rows[won]] = False
        return out

    def _turns(self, problem: Problem) -> list[tuple[int, Tensor]]:
        """Return (seed, class aimed at) for each run; untargeted runs ignore the class."""
        seeds = [problem.seed + 7919 * number for number in range(self.restarts)]
        if self.loss != "targeted":
            return [(seed, problem.y) for seed in seeds]
        scores = ask(problem.target, problem.x, problem.eot)
        scores.scatter_(1, problem.y[:, None], -torch.inf)
        if problem.target.traits.abstains:
            scores[:, -1] = -torch.inf
        wrong = scores.shape[1] - 1 - int(problem.target.traits.abstains)
        likeliest = scores.argsort(dim=1, descending=True)[:, : max(1, min(self.aims, wrong))]
        return [(seed, likeliest[:, column]) for seed in seeds for column in range(likeliest.shape[1])]

    def _objective(self, problem: Problem, aim: Tensor) -> Objective:
        if self.loss == "ce":
            return usual(problem.target)
        if self.loss == "margin":
            return partial(margin, abstains=problem.target.traits.abstains)
        if problem.target.traits.abstains or problem.target.classes < 3:
            return over_all(aim) if self.loss == "targeted" else usual(problem.target)
        return towards(aim) if self.loss == "targeted" else difference_of_logits

    def _climb(self, problem: Problem, aim: Tensor, start: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Run one start, a random one unless given. Returns the proposals and which of them the attack saw win."""
        allowed = Allowed.of(problem.ball, problem.x, problem.box)
        x = problem.ball.start(problem.x, problem.box, problem.draw()) if start is None else start
        value, gradient, won = differentiate(problem, x, problem.y, self._objective(problem, aim))
        found, has_won = x.clone(), won.clone()
        size = len(x)
        state = _State(
            allowed, problem.y, aim, x, x, x, value, gradient, gradient, 2 * allowed.size,
            value, torch.zeros(size), value, torch.ones(size, dtype=torch.bool), torch.arange(size),
        )  # fmt: skip
        state.keep(~won)
        every = max(int(0.22 * self.steps), 1)
        next_check = every
        for step in range(self.steps):
            if not len(state.rows):
                break
            _advance(state, first=step == 0)
            value, state.gradient, won = differentiate(problem, state.x, state.y, self._objective(problem, state.aim))
            found[state.rows[won]] = state.x[won]
            has_won[state.rows[won]] = True
            self._remember(state, value)
            if step + 1 == next_check:
                _adapt(state, every)
                every = max(every - max(int(0.03 * self.steps), 1), max(int(0.06 * self.steps), 1))
                next_check += every
            if won.any():
                state.keep(~won)
        found[state.rows] = state.best
        return found, has_won

    @staticmethod
    def _remember(state: _State, value: Tensor) -> None:
        """Keep the best point so far, and count where the objective rose. `value` is the objective at `state.x`."""
        better = value > state.best_value
        state.risen += (value > state.last_value).float()
        state.last_value = value
        wide = better.reshape(-1, *(1,) * (state.x.dim() - 1))
        state.best = torch.where(wide, state.x, state.best)
        state.best_gradient = torch.where(wide, state.gradient, state.best_gradient)
        state.best_value = torch.where(better, value, state.best_value)


def _advance(state: _State, *, first: bool) -> None:
    """Take one step with momentum and project it."""
    direction = state.allowed.ball.direction(state.gradient)
    moved = state.allowed.project(torch.addcmul(state.x, state.step, direction))
    if not first:
        kept = torch.lerp(state.x, moved, _MOMENTUM).add_(state.x - state.before, alpha=1 - _MOMENTUM)
        moved = state.allowed.project(kept)
    state.before, state.x = state.x, moved


def _adapt(state: _State, every: int) -> None:
    """Halve the step, and go back to the best point, where the objective rose too rarely or did not improve at all."""
    rarely = state.risen <= _RHO * every
    stuck = ~state.halved & (state.value_at_check >= state.best_value)
    halve = rarely | stuck
    wide = halve.reshape(-1, *(1,) * (state.x.dim() - 1))
    state.step = torch.where(wide, state.step / 2, state.step)
    state.x = torch.where(wide, state.best, state.x)
    state.gradient = torch.where(wide, state.best_gradient, state.gradient)
    state.halved, state.value_at_check = halve, state.best_value
    state.risen = torch.zeros_like(state.risen)

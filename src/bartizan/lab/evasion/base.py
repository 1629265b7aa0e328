"""What an attack is: a name, the access it needs, and a function that proposes inputs. It never scores itself.

Gradient attacks share `differentiate`, black-box ones `Asked`; both keep examples that have fallen out of later work.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from bartizan.lab.evasion.balls import Ball, Box
from bartizan.lab.evasion.objectives import Objective, fooled
from bartizan.lab.evasion.one_channel import OneChannel
from bartizan.lab.target import Access, Arrays, Target

Tensor = torch.Tensor


@dataclass(frozen=True)
class Problem:
    """One batch under attack: the model, where it may be asked, the originals (n, …) float32 and their labels (n,)."""

    target: Target
    ball: Ball
    x: Tensor
    y: Tensor
    seed: int = 0
    eot: int = 1
    """Gradients and answers are averaged over this many passes, for models that answer at random."""

    @property
    def box(self) -> Box:
        """Return the model's input range."""
        assert isinstance(self.target.spec, Arrays)  # noqa: S101 - numeric attacks are only given numeric targets
        return Box.of(self.target.spec)

    def part(self, rows: Tensor, seed: int | None = None) -> Problem:
        """Return the problem of some rows (a mask or indices), with another seed if one is given."""
        return Problem(
            self.target, self.ball, self.x[rows], self.y[rows], self.seed if seed is None else seed, self.eot
        )

    def in_batches(self, size: int, attack: Callable[[Problem], Tensor]) -> Tensor:
        """Return what `attack` makes of the examples, `size` of them at a time, each batch with a seed of its own."""
        out = self.x.clone()
        for start in range(0, len(out), size):
            rows = torch.arange(start, min(start + size, len(out)))
            out[rows] = attack(self.part(rows, self.seed + start))
        return out

    def draw(self) -> torch.Generator:
        """Return a random generator of this problem's seed."""
        return torch.Generator().manual_seed(self.seed)


class Evasion(Protocol):
    """An attack."""

    @property
    def name(self) -> str:
        """What reports call it, with its budget."""
        ...

    @property
    def needs(self) -> Access:
        """What it must see of the model."""
        ...

    def perturb(self, problem: Problem) -> Tensor:
        """Return a proposal for each example, (n, …); the judge clips and asks again."""
        ...


def differentiate(problem: Problem, x: Tensor, y: Tensor, objective: Objective) -> tuple[Tensor, Tensor, Tensor]:
    """Return (objective (n,), its gradient by x, which rows are fooled (n,)) at `x`.

    Random models are averaged over `problem.eot` passes (Athalye et al., ICML 2018: expectation over transformation).
    """
    target, leaf = problem.target, x.detach().requires_grad_()
    with OneChannel():
        logits = target.logits(leaf)
        for _ in range(problem.eot - 1):
            logits = logits + target.logits(leaf)
    logits = logits / problem.eot if problem.eot > 1 else logits
    value = objective(logits, y)
    (gradient,) = torch.autograd.grad(value.sum(), leaf)
    real = target.really(x)
    won = fooled(logits.detach() if real is None else real, y, abstains=target.traits.abstains)
    return value.detach(), torch.nan_to_num(gradient), won


def ask(target: Target, x: Tensor, eot: int = 1) -> Tensor:
    """Return log-scores of a batch as a float32 tensor (n, classes), averaged over `eot` passes."""
    said = target.log_scores(x.numpy())
    for _ in range(eot - 1):
        said = said + target.log_scores(x.numpy())
    return torch.from_numpy((said / eot).astype(np.float32))


def is_fooled(problem: Problem, x: Tensor) -> Tensor:
    """Return which proposals the model answers wrongly, (n,) bool, asking for labels only."""
    said = torch.from_numpy(problem.target.labels(x.numpy()))
    wrong = said != problem.y
    return wrong & (said != problem.target.classes - 1) if problem.target.traits.abstains else wrong

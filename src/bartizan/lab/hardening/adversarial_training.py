"""Adversarial training: the model learns on the inputs that an attacker would make of its examples.

`fast` is one FGSM step from a random start (Wong, Rice and Kolter, ICLR 2020), `pgd` several steps (Madry et al., ICLR
2018), `trades` trades accuracy for agreement around each example (Zhang et al., ICML 2019), `noise` is training under
Gaussian noise for randomised smoothing (Cohen, Rosenfeld and Kolter, ICML 2019), `none` is plain training.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention

from bartizan.core.errors import BadSettings
from bartizan.lab.evasion.balls import Ball, Box
from bartizan.lab.hardening.checkpoints import Checkpoint
from bartizan.lab.labelled import Labelled
from bartizan.lab.target import Arrays

Tensor = torch.Tensor
Method = Literal["none", "fast", "pgd", "trades", "noise"]


@dataclass(frozen=True)
class Recipe:
    """How to train. Defaults fit small images; `epsilon` is in units of the input."""

    method: Method = "fast"
    epsilon: float = 0.1
    norm: Literal["Linf", "L2"] = "Linf"
    epochs: int = 10
    batch: int = 128
    peak_rate: float = 5e-3
    """Largest learning rate of the one-cycle schedule (Adam)."""
    steps: int = 7
    """Inner steps of `pgd` and `trades`."""
    trades_beta: float = 6.0
    sigma: float = 0.25
    """Standard deviation of the noise of `noise`, in units of the input."""
    warm_up: float = 0.2
    """The first share of training in which epsilon grows from 0: large balls stall small networks otherwise."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that cannot train."""
        if self.epochs < 1 or self.batch < 1 or self.steps < 1:
            raise BadSettings(f"epochs {self.epochs}, batch {self.batch}, steps {self.steps}: expected 1 or more each")
        if self.method == "noise" and not self.sigma > 0:
            raise BadSettings(f"sigma {self.sigma:g}: expected above 0")


Progress = Callable[[str, int, int], None]


def trained(
    module: torch.nn.Module,
    data: Labelled,
    spec: Arrays,
    recipe: Recipe,
    progress: Progress = lambda what, done, total: None,
    kept: Checkpoint | None = None,
) -> torch.nn.Module:
    """Train `module` (n, *shape) → logits on `data` in place by `recipe` and return it in evaluation mode.

    The weights kept are those of the end; the schedule ends at rate 0. Deterministic for a seed and one thread.
    With `kept` the same training goes on where it was stopped.
    """
    x, y = torch.from_numpy(spec.checked(data.x)), torch.from_numpy(np.asarray(data.y, dtype=np.int64))
    if len(x) != len(y) or not len(x):
        raise BadSettings(f"{len(x)} examples and {len(y)} labels: expected as many, and at least one")
    draw = torch.Generator().manual_seed(recipe.seed)
    for parameter in module.parameters():
        parameter.requires_grad_(True)
    optimiser = torch.optim.Adam(module.parameters(), lr=recipe.peak_rate)
    per_epoch = -(-len(x) // recipe.batch)
    total = per_epoch * recipe.epochs
    inner, kept = _Inner(recipe, Box.of(spec), draw), kept or Checkpoint(None)
    number, order = kept.resumed((module, optimiser, draw), data, spec, recipe)
    while number < total:
        start = number % per_epoch * recipe.batch
        order = order if start else torch.randperm(len(x), generator=draw)
        rows = order[start : start + recipe.batch]
        for group in optimiser.param_groups:
            group["lr"] = recipe.peak_rate * _cycle(number / total)
        grown = min(1.0, number / (recipe.warm_up * total)) if recipe.warm_up else 1.0
        loss = inner.loss(module, x[rows], y[rows], grown)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        number += 1
        kept.keep(number, order, last=number == total)
        if number % 20 == 0 or number == total:
            progress(f"{recipe.method} training", number, total)
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    return module.eval()


def _cycle(share: float) -> float:
    """Rise over the first 40 % of training, then fall to 0 (Smith's one-cycle policy, as in fast training)."""
    return share / 0.4 if share < 0.4 else (1 - share) / 0.6


class _Inner:
    """Makes the loss of one batch: the attack on the model as it stands, then what is minimised."""

    def __init__(self, recipe: Recipe, box: Box, draw: torch.Generator) -> None:
        self._recipe, self._box, self._draw = recipe, box, draw

    def loss(self, module: torch.nn.Module, x: Tensor, y: Tensor, grown: float) -> Tensor:
        """Return the loss to minimise; `grown` (0..1) scales epsilon while it warms up."""
        recipe = self._recipe
        if recipe.method == "none":
            module.train()
            return F.cross_entropy(module(x), y)
        if recipe.method == "noise":
            module.train()
            return F.cross_entropy(module(x + recipe.sigma * torch.randn(x.shape, generator=self._draw)), y)
        module.eval()  # the attack must not move batch statistics
        ball = Ball(recipe.norm, recipe.epsilon * grown)
        if recipe.method == "trades":
            worst = self._climb(module, x, y, ball, agree=True)
            module.train()
            clean = module(x)
            apart = F.kl_div(F.log_softmax(module(worst), 1), F.softmax(clean, 1), reduction="batchmean")
            return F.cross_entropy(clean, y) + recipe.trades_beta * apart
        worst = self._climb(module, x, y, ball, agree=False)
        module.train()
        return F.cross_entropy(module(worst), y)

    def _climb(self, module: torch.nn.Module, x: Tensor, y: Tensor, ball: Ball, *, agree: bool) -> Tensor:
        fast = self._recipe.method == "fast"
        steps = 1 if fast else self._recipe.steps
        size = 1.25 if fast else 2.5 / steps  # 1.25: alpha of the fast recipe; 2.5/steps: Madry's
        with torch.no_grad():
            before = F.softmax(module(x), 1) if agree else None
        point = ball.start(x, self._box, self._draw)
        for _ in range(steps):
            leaf = point.detach().requires_grad_()
            logits = module(leaf)
            if before is None:
                value = F.cross_entropy(logits, y, reduction="sum")
            else:
                value = F.kl_div(F.log_softmax(logits, 1), before, reduction="sum")
            (gradient,) = torch.autograd.grad(value, leaf)
            point = ball.project(point + size * ball.sizes(x) * ball.direction(gradient), x, self._box)
        return point.detach()

"""Copies a classifier of images by questions: a network of the thief's own is trained on what the model answered.

Ways differ in what is asked next: records of the same kind or of another (Orekondy et al. 2019, Knockoff Nets), noise,
steps along the copy's own gradients (Papernot et al. 2017), or what the copy is least sure of (Pal et al. 2020). A way
proposes questions; asking, counting and judging are not its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from bartizan.lab.membership.stacked import one_thread
from bartizan.lab.target import Array

Ask = Callable[[Array], Array]
"""Inputs (n, …) to what leaves: labels (n,), or scores (n, classes)."""
Network = Callable[[], torch.nn.Module]


class Way(Protocol):
    """How a thief chooses questions."""

    name: str

    def next(self, copy: "Copy", count: int, draw: np.random.Generator) -> Array:
        """Return `count` more questions, chosen with the copy so far."""
        ...


@dataclass
class Copy:
    """A thief's network, and everything that was asked and answered so far, in order."""

    module: torch.nn.Module
    asked: Array
    answers: Array

    def scores(self, x: Array) -> Array:
        """Return the copy's probabilities (n, classes)."""
        with one_thread(), torch.inference_mode():
            parts = [
                torch.softmax(self.module(torch.from_numpy(x[at : at + 1024])), dim=1) for at in range(0, len(x), 1024)
            ]
        return np.asarray(torch.cat(parts).numpy())

    def labels(self, x: Array) -> Array:
        """Return the copy's labels (n,)."""
        return np.asarray(self.scores(x).argmax(axis=1))


@dataclass
class Records:
    """Natural records in an order drawn at random: of the same kind as the model's, or of another."""

    name: str
    pool: Array

    def next(self, copy: Copy, count: int, draw: np.random.Generator) -> Array:
        """Return records that were not asked yet, and again from the beginning when there are no more."""
        at = len(copy.asked)
        order = np.random.default_rng(len(self.pool)).permutation(len(self.pool))
        return np.asarray(self.pool[order[np.arange(at, at + count) % len(order)]])


@dataclass
class Noise:
    """Uniform noise."""

    name: str = "random"

    def next(self, copy: Copy, count: int, draw: np.random.Generator) -> Array:
        """Return noise."""
        return draw.uniform(0, 1, (count, *copy.asked.shape[1:])).astype(np.float32)


@dataclass
class Jacobian:
    """A few own records, then each question asked so far moved a step along the copy's gradient for its label."""

    seeds: Array
    step: float = 0.1
    name: str = "Jacobian"
    bounds: tuple[float, float] = (0.0, 1.0)
    """Smallest and largest value of an input."""

    def next(self, copy: Copy, count: int, draw: np.random.Generator) -> Array:
        """Return the seeds first, then steps from questions drawn at random (reservoir of Papernot et al.)."""
        have = len(copy.asked)
        if have < len(self.seeds):
            return np.asarray(self.seeds[have : have + count])
        rows = draw.choice(have, count, replace=have < count)
        x = torch.from_numpy(copy.asked[rows]).requires_grad_()
        labels = copy.answers[rows] if copy.answers.ndim == 1 else copy.answers[rows].argmax(axis=1)
        with one_thread():
            copy.module(x)[torch.arange(count), torch.from_numpy(labels)].sum().backward()
        sign = np.sign(np.asarray(x.grad)) * draw.choice([-1, 1], (count, *[1] * (x.ndim - 1)))
        return np.asarray(np.clip(copy.asked[rows] + self.step * sign, *self.bounds), np.float32)


@dataclass
class LeastSure:
    """Records of a pool that the copy is least sure of; the first ones at random."""

    pool: Array
    name: str = "active"

    def next(self, copy: Copy, count: int, draw: np.random.Generator) -> Array:
        """Return the records with the smallest lead of the most likely label."""
        if not len(copy.asked):
            return np.asarray(self.pool[draw.permutation(len(self.pool))[:count]])
        first, second = np.partition(copy.scores(self.pool), -2, axis=1)[:, -2:].T[::-1]
        known = {row.tobytes() for row in copy.asked}
        order = [row for row in np.argsort(first - second) if self.pool[row].tobytes() not in known]
        return np.asarray(self.pool[order[:count]])


@dataclass(frozen=True)
class Plan:
    """How a thief spends questions and time."""

    shape: tuple[int, ...]
    """Of one input."""
    rounds: Sequence[int]
    """Questions asked after each round in all; the copy is trained anew after each."""
    seed: int = 0
    steps: int = 300
    """Training steps of 64 after a round."""
    final: int = 4
    """Times as many after the last."""


def steal(ask: Ask, way: Way, network: Network, plan: Plan, told: Callable[[Copy], None] = lambda copy: None) -> Copy:
    """Return the copy after the last round; `told` sees it after each."""
    draw = np.random.default_rng(plan.seed)
    torch.manual_seed(plan.seed)
    copy = Copy(network(), np.zeros((0, *plan.shape), np.float32), np.zeros(0, np.int64))
    for number, total in enumerate(plan.rounds):
        while len(copy.asked) < total:
            more = way.next(copy, total - len(copy.asked), draw)
            if not len(more):
                break
            said = ask(more)
            copy.asked = np.concatenate([copy.asked, more])
            copy.answers = np.concatenate([copy.answers, said]) if len(copy.answers) else said
        last = number == len(plan.rounds) - 1
        copy.module = _taught(network(), copy, plan.steps * (plan.final if last else 1), draw)
        told(copy)
    return copy


def _taught(module: torch.nn.Module, copy: Copy, steps: int, draw: np.random.Generator) -> torch.nn.Module:
    """Train on everything that was answered; images are also moved by up to two pixels."""
    x, hard = torch.from_numpy(copy.asked), copy.answers.ndim == 1
    y = torch.from_numpy(copy.answers if hard else copy.answers.astype(np.float32))
    optimizer = torch.optim.Adam(module.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, steps)
    module.train()
    with one_thread():
        for _ in range(steps):
            rows = torch.from_numpy(draw.integers(0, len(x), 64))
            loss = torch.nn.functional.cross_entropy(module(_shifted(x[rows], draw)), y[rows])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return module.eval()


def _shifted(batch: torch.Tensor, draw: np.random.Generator) -> torch.Tensor:
    reach = 2 if batch.ndim == 4 and batch.shape[-1] >= 16 else 0
    if not reach:
        return batch
    down, right = draw.integers(-reach, reach + 1, 2)
    return torch.roll(batch, (int(down), int(right)), (2, 3))

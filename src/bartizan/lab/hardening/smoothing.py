"""Randomised smoothing with certificates (Cohen, Rosenfeld and Kolter, ICML 2019).

The smoothed model answers with the class that the inner model gives most often under Gaussian noise. `certify` returns
a radius in L2 within which that answer cannot change, with a stated chance of error; it says nothing about other norms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import torch

from bartizan.core.errors import BadSettings
from bartizan.lab.needs import need

Tensor = torch.Tensor
ABSTAIN = -1


class Smoothed(torch.nn.Module):
    """`inner` under noise of standard deviation `sigma`: log of the mean probability over `samples` draws.

    The forward pass is differentiable, so an attacker can climb it (averaging with EOT); certificates use votes.
    """

    def __init__(self, inner: torch.nn.Module, sigma: float, samples: int = 32, seed: int | None = None) -> None:
        """Wrap `inner`. With a seed every pass draws the same noise; without, new noise each time."""
        super().__init__()
        if not sigma > 0 or samples < 1:
            raise BadSettings(f"sigma = {sigma}, samples = {samples}: expected both above 0")
        self.inner, self.sigma, self.samples, self._seed = inner, sigma, samples, seed

    def forward(self, x: Tensor) -> Tensor:
        """Return log mean probabilities (n, classes)."""
        draw = None if self._seed is None else torch.Generator().manual_seed(self._seed)
        noise = torch.randn((self.samples, *x.shape), generator=draw) * self.sigma
        logits = self.inner((x + noise).flatten(0, 1))
        mean: Tensor = logits.softmax(1).reshape(self.samples, len(x), -1).mean(0)
        return mean.clamp_min(1e-12).log()


@dataclass(frozen=True)
class Certificate:
    """One answer: the class (or ABSTAIN) and the L2 radius within which it holds."""

    label: int
    radius: float


def votes(module: Smoothed, x: Tensor, samples: int, draw: torch.Generator, chunk: int = 1000) -> Tensor:
    """Return how often the inner model gave each class for ONE input (*shape) under noise, (classes,)."""
    counts: Tensor | None = None
    with torch.inference_mode():
        for start in range(0, samples, chunk):
            size = min(chunk, samples - start)
            noise = torch.randn((size, *x.shape), generator=draw) * module.sigma
            logits = module.inner(x[None] + noise)
            some = torch.bincount(logits.argmax(1), minlength=logits.shape[1])
            counts = some if counts is None else counts + some
    if counts is None:
        raise BadSettings(f"samples = {samples}: expected 1 or more")
    return counts


def certify(
    module: Smoothed, x: Tensor, draw: torch.Generator, *, select: int = 100, samples: int = 1000, alpha: float = 0.001
) -> Certificate:
    """Return the certificate of ONE input (*shape), wrong with chance at most `alpha` (CERTIFY of the paper)."""
    label = int(votes(module, x, select, draw).argmax())
    hits = int(votes(module, x, samples, draw)[label])
    # The exact one-sided lower bound on the class's probability (Clopper and Pearson).
    lower = float(need("scipy.stats").beta.ppf(alpha, hits, samples - hits + 1)) if hits else 0.0
    if lower <= 0.5:
        return Certificate(ABSTAIN, 0.0)
    return Certificate(label, module.sigma * NormalDist().inv_cdf(lower))


def predict(module: Smoothed, x: Tensor, draw: torch.Generator, *, samples: int = 1000, alpha: float = 0.001) -> int:
    """Return the class of ONE input, or ABSTAIN when the two leading classes are too close (PREDICT of the paper)."""
    counts = votes(module, x, samples, draw)
    first, second = (int(one) for one in counts.topk(2).indices)
    top, total = int(counts[first]), int(counts[first] + counts[second])
    # Two-sided binomial test of a fair coin: twice the tail at `top` or more.
    tail = float(need("scipy.stats").binom.sf(top - 1, total, 0.5))
    return first if min(1.0, 2 * tail) <= alpha else ABSTAIN


def radius_of(probability: float, sigma: float) -> float:
    """Return the radius that a class probability above one half buys; 0 otherwise."""
    if not 0.5 < probability < 1:
        return 0.0 if probability <= 0.5 else math.inf
    return sigma * NormalDist().inv_cdf(probability)


def certified_accuracy(certificates: list[Certificate], y: np.ndarray, radius: float) -> float:
    """Return the share of inputs whose certified class is right and holds at least within `radius`."""
    right = [one.label == label and one.radius >= radius for one, label in zip(certificates, y, strict=True)]
    return float(np.mean(right))

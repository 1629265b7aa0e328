"""What thieves do to a stolen model so that it is not recognised: to its weights, and to its answers.

Each function returns another model and leaves the one it got as it was. `deferring` is the adaptive one: it knows that
points lie where models differ, which is where a copy is not sure, and answers there as a model of the thief's own does.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import torch

from bartizan.lab.membership.stacked import one_thread
from bartizan.lab.ownership.fingerprint import Labels
from bartizan.lab.target import Array

Scores = Callable[[Array], Array]


def finetuned(module: torch.nn.Module, x: Array, y: Array, *, steps: int, seed: int) -> torch.nn.Module:
    """Return the module trained further on labelled records of the thief's own, in batches of 64 with Adam at 0.001."""
    tuned = copy.deepcopy(module).train()
    draw = np.random.default_rng(seed)
    inputs, labels = torch.from_numpy(x), torch.from_numpy(y.astype(np.int64))
    optimizer = torch.optim.Adam(tuned.parameters(), lr=1e-3)
    with one_thread():
        for _ in range(steps):
            rows = torch.from_numpy(draw.integers(0, len(x), min(64, len(x))))
            loss = torch.nn.functional.cross_entropy(tuned(inputs[rows]), labels[rows])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return tuned.eval()


def pruned(module: torch.nn.Module, share: float) -> torch.nn.Module:
    """Return the module with the smallest `share` (0..1) of its weights set to zero, over all layers."""

    def cut(weights: list[torch.Tensor]) -> None:
        sizes = torch.cat([one.abs().flatten() for one in weights])
        least = torch.sort(sizes).values[min(len(sizes) - 1, int(share * len(sizes)))]
        for one in weights:
            one[one.abs() < least] = 0

    return _changed(module, cut)


def quantised(module: torch.nn.Module, bits: int) -> torch.nn.Module:
    """Return the module with weights rounded to `bits` (2..8) bits, one scale a tensor."""

    def rounded(weights: list[torch.Tensor]) -> None:
        for one in weights:
            scale = one.abs().max().clamp_min(1e-12) / (2 ** (bits - 1) - 1)
            one.copy_((one / scale).round() * scale)

    return _changed(module, rounded)


def disturbed(module: torch.nn.Module, size: float, *, seed: int) -> torch.nn.Module:
    """Return the module with Gaussian noise of `size` standard deviations of each tensor on its weights."""
    draw = torch.Generator().manual_seed(seed)

    def noise(weights: list[torch.Tensor]) -> None:
        for one in weights:
            one.add_(torch.randn(one.shape, generator=draw), alpha=size * float(one.std()))

    return _changed(module, noise)


def _changed(module: torch.nn.Module, act: Callable[[list[torch.Tensor]], None]) -> torch.nn.Module:
    other = copy.deepcopy(module)
    with torch.no_grad():
        act([one for one in other.parameters() if one.ndim > 1])
    return other.eval()


def scattered(labels: Labels, share: float, classes: int, *, seed: int) -> Labels:
    """Return the model with `share` (0..1) of its answers drawn at random."""
    draw = np.random.default_rng(seed)

    def answer(x: Array) -> Array:
        said = labels(x)
        return np.where(draw.random(len(said)) < share, draw.integers(0, classes, len(said)), said)

    return answer


def deferring(scores: Scores, own: Labels, known: Array, share: float) -> Labels:
    """Return the model, but where it is as unsure as on the least sure `share` of records `known`, `own` answers."""
    limit = np.quantile(_lead(scores(known)), share)

    def answer(x: Array) -> Array:
        said = scores(x)
        return np.where(_lead(said) <= limit, own(x), said.argmax(axis=1))

    return answer


def _lead(scores: Array) -> Array:
    first, second = np.partition(scores, -2, axis=1)[:, -2:].T[::-1]
    return np.asarray(first - second)

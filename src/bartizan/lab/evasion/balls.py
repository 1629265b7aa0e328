"""How far an attacker may go: balls in Linf, L2 and L0 inside the model's input range, and projections onto them.

A ball's size may differ for each example: that is how a bound on the signal-to-noise ratio of sounds is written.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch

from bartizan.core.errors import BadSettings
from bartizan.lab.target import Arrays

Norm = Literal["Linf", "L2", "L0"]
Tensor = torch.Tensor


@dataclass(frozen=True)
class Ball:
    """All inputs within `epsilon` of the original, in `norm`; for L0 epsilon counts the changed values.

    `epsilon` is in the units of the input (after scaling to the model's range). Raises BadSettings unless it is ≥ 0.
    """

    norm: Norm
    epsilon: float
    snr_db: float | None = None
    """When set, epsilon is ignored: the L2 noise of each example stays this many decibels below its signal."""

    def __post_init__(self) -> None:
        """Refuse a negative size, and a signal-to-noise ratio in any norm but L2."""
        if not self.epsilon >= 0:
            raise BadSettings(f"epsilon = {self.epsilon}: expected 0 or more")
        if self.snr_db is not None and self.norm != "L2":
            raise BadSettings(f"a signal-to-noise ratio bounds the L2 norm, got {self.norm}")

    def sizes(self, x: Tensor) -> Tensor:
        """Return the radius for each example, (n, 1, …): 10^(-SNR/20) of its norm where a ratio is set."""
        wide = (len(x), *(1,) * (x.dim() - 1))
        if self.snr_db is None:
            return torch.full(wide, float(self.epsilon))
        radius: Tensor = x.flatten(1).norm(dim=1).reshape(wide) * 10 ** (-self.snr_db / 20)
        return radius

    def distances(self, x: Tensor, original: Tensor) -> Tensor:
        """Return how far each example moved, (n,)."""
        delta = (x - original).flatten(1)
        if self.norm == "L0":
            return (delta != 0).sum(1).float()
        length: Tensor = delta.abs().amax(1) if self.norm == "Linf" else delta.norm(dim=1)
        return length

    def project(self, x: Tensor, original: Tensor, box: Box) -> Tensor:
        """Return the nearest point of the ball and the range (for L2: within the range first, then towards `original`).

        Clipping towards the original point never leaves either set, so the result is always allowed.
        """
        x = box.clip(x)
        size = self.sizes(original)
        if self.norm == "Linf":
            return box.clip(torch.minimum(torch.maximum(x, original - size), original + size))
        delta = x - original
        if self.norm == "L2":
            length = delta.flatten(1).norm(dim=1).reshape(size.shape).clamp_min(1e-12)
            inside: Tensor = original + delta * (size / length).clamp_max(1)
            return inside
        sparse: Tensor = original + keep_largest(delta, int(self.epsilon))
        return sparse

    def start(self, original: Tensor, box: Box, draw: torch.Generator) -> Tensor:
        """Return a random point of the ball: uniform in Linf, a random direction of full length in L2, noise in L0."""
        size = self.sizes(original)
        if self.norm == "Linf":
            noise = (2 * torch.rand(original.shape, generator=draw) - 1) * size
            return self.project(original + noise, original, box)
        noise = torch.randn(original.shape, generator=draw)
        if self.norm == "L2":
            noise = noise / noise.flatten(1).norm(dim=1).reshape(size.shape).clamp_min(1e-12) * size
        return self.project(original + noise, original, box)

    def direction(self, gradient: Tensor) -> Tensor:
        """Return the steepest unit step: the sign in Linf, the normalised gradient else."""
        if self.norm == "Linf":
            return gradient.sign()
        length = gradient.flatten(1).norm(dim=1).reshape(-1, *(1,) * (gradient.dim() - 1))
        unit: Tensor = gradient / length.clamp_min(1e-12)
        return unit

    def scaled(self, factor: float) -> Ball:
        """Return the ball `factor` times as large."""
        if self.snr_db is not None:
            return Ball(self.norm, self.epsilon, self.snr_db - 20 * math.log10(max(factor, 1e-12)))
        return Ball(self.norm, self.epsilon * factor)

    def __str__(self) -> str:
        """Return the bound as people write it."""
        return f"SNR ≥ {self.snr_db:g} dB" if self.snr_db is not None else f"{self.norm} ≤ {self.epsilon:g}"


@dataclass(frozen=True)
class Box:
    """The model's input range as tensors that broadcast to a batch."""

    low: Tensor
    high: Tensor

    @staticmethod
    def of(spec: Arrays) -> Box:
        """Return the range of a target's inputs."""
        low, high = spec.bounds()
        return Box(torch.from_numpy(low.copy()), torch.from_numpy(high.copy()))

    def clip(self, x: Tensor) -> Tensor:
        """Return x inside the range."""
        return torch.minimum(torch.maximum(x, self.low), self.high)


def keep_largest(delta: Tensor, count: int) -> Tensor:
    """Return `delta` with all but its `count` largest values (by magnitude, for each example) set to 0."""
    flat = delta.flatten(1)
    if count >= flat.shape[1]:
        return delta
    if count == 0:
        return torch.zeros_like(delta)
    top = flat.abs().topk(count, dim=1).indices
    return torch.zeros_like(flat).scatter(1, top, flat.gather(1, top)).reshape(delta.shape)

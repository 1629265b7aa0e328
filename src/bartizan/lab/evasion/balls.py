"""How far an attacker may go: balls in Linf, L2 and L0, and patches, inside the model's range; projections onto them.

A ball's size may differ for each example: that is how a bound on the signal-to-noise ratio of sounds is written.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch

from bartizan.core.errors import BadSettings
from bartizan.lab.target import Arrays

Norm = Literal["Linf", "L2", "L0", "patch"]
Tensor = torch.Tensor


@dataclass(frozen=True)
class Ball:
    """All inputs within `epsilon` of the original, in `norm`; for L0 epsilon counts the changed values.

    For `patch` it is the largest share of the picture's area (0..1) that one rectangle of changes covers.

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
        if self.norm == "patch":
            return _covered(x - original)
        length: Tensor = delta.abs().amax(1) if self.norm == "Linf" else delta.norm(dim=1)
        return length

    def project(self, x: Tensor, original: Tensor, box: Box) -> Tensor:
        """Return the nearest point that is allowed; whoever projects again and again keeps the `Allowed` instead."""
        return Allowed.of(self, original, box).project(x)

    def start(self, original: Tensor, box: Box, draw: torch.Generator) -> Tensor:
        """Return a random point of the ball: uniform in Linf, a random direction of full length in L2, else noise."""
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
        if self.norm == "patch":
            return f"a patch of {self.epsilon:.3g} of the area"
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


@dataclass(frozen=True)
class Allowed:
    """Where the examples of one batch may be moved: the ball around each original, inside the range.

    What depends on the originals only is worked out once. Indexing gives the same for some of the rows.
    """

    ball: Ball
    box: Box
    original: Tensor
    size: Tensor
    """The radius for each example, (n, 1, …)."""
    low: Tensor
    high: Tensor
    """In Linf, the smallest and the largest value allowed, (n, …); in other norms unused, and the original."""

    @staticmethod
    def of(ball: Ball, original: Tensor, box: Box) -> Allowed:
        """Return what `ball` allows around `original`, (n, …)."""
        size = ball.sizes(original)
        if ball.norm != "Linf":
            return Allowed(ball, box, original, size, original, original)
        return Allowed(ball, box, original, size, box.clip(original - size), box.clip(original + size))

    def __getitem__(self, rows: Tensor) -> Allowed:
        """Return what is allowed to some rows (a mask or indices)."""
        original, size = self.original[rows], self.size[rows]
        if self.ball.norm != "Linf":
            return Allowed(self.ball, self.box, original, size, original, original)
        return Allowed(self.ball, self.box, original, size, self.low[rows], self.high[rows])

    def project(self, x: Tensor) -> Tensor:
        """Return the nearest allowed point (for L2: within the range first, then towards the original).

        Clipping towards the original point never leaves either set, so the result is always allowed.
        """
        if self.ball.norm == "Linf":
            return x.clamp(self.low, self.high)
        delta = self.box.clip(x) - self.original
        if self.ball.norm == "L2":
            length = delta.flatten(1).norm(dim=1).reshape(self.size.shape).clamp_min(1e-12)
            inside: Tensor = self.original + delta * (self.size / length).clamp_max(1)
            return inside
        epsilon = self.ball.epsilon
        kept = keep_window(delta, epsilon) if self.ball.norm == "patch" else keep_largest(delta, int(epsilon))
        sparse: Tensor = self.original + kept
        return sparse


def keep_largest(delta: Tensor, count: int) -> Tensor:
    """Return `delta` with all but its `count` largest values (by magnitude, for each example) set to 0."""
    flat = delta.flatten(1)
    if count >= flat.shape[1]:
        return delta
    if count == 0:
        return torch.zeros_like(delta)
    top = flat.abs().topk(count, dim=1).indices
    return torch.zeros_like(flat).scatter(1, top, flat.gather(1, top)).reshape(delta.shape)


def as_image(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return (n, c, h, w) for a batch's shape; anything without two spatial axes becomes one line of one channel."""
    if len(shape) == 4:
        return shape
    if len(shape) == 3 and shape[1] > 1:
        return (shape[0], 1, shape[1], shape[2])
    return (shape[0], 1, 1, math.prod(shape[1:]))


def window_of(image: tuple[int, ...], share: float) -> tuple[int, int]:
    """Return height and width of the largest window, shaped like the picture, that covers at most `share` of it.

    `image` is (n, c, h, w); no side is below 1.
    """
    height, width = image[2:]
    if height == 1:
        return 1, max(1, min(width, int(share * width + 1e-9)))
    side = math.sqrt(min(share, 1.0)) + 1e-9
    return max(1, int(side * height)), max(1, int(side * width))


def keep_window(delta: Tensor, share: float) -> Tensor:
    """Return `delta` with all but the window of its largest energy set to 0; the window covers `share` of the area."""
    if not share:
        return torch.zeros_like(delta)
    image = delta.reshape(as_image(tuple(delta.shape)))
    height, width = window_of(tuple(image.shape), share)
    energy = image.double().square().sum(1)
    sums = energy.unfold(1, height, 1).unfold(2, width, 1).sum((3, 4))
    best = sums.flatten(1).argmax(1)
    top, left = (best // sums.shape[2])[:, None], (best % sums.shape[2])[:, None]
    rows, columns = torch.arange(image.shape[2]), torch.arange(image.shape[3])
    inside = ((rows >= top) & (rows < top + height))[:, :, None] & ((columns >= left) & (columns < left + width))[
        :, None
    ]
    return torch.where(inside[:, None], image, 0.0).reshape(delta.shape)


def _covered(delta: Tensor) -> Tensor:
    """Return the share of the area that the smallest rectangle around all changes covers, (n,)."""
    changed = (delta.reshape(as_image(tuple(delta.shape))) != 0).any(1)
    sides = []
    for axis in (2, 1):
        line = changed.any(axis).int()
        first, last = line.argmax(1), line.shape[1] - 1 - line.flip(1).argmax(1)
        sides.append(torch.where(line.any(1), last - first + 1, 0) / line.shape[1])
    return sides[0] * sides[1]

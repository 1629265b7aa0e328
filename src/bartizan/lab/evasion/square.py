"""Square Attack (Andriushchenko et al., ECCV 2020): random squares, kept when the margin falls. Needs scores only.

For Linf and L2. Inputs without two spatial axes (rows, sounds) are treated as one line: the squares become stretches.
The place of each square is shared by the batch, as in the reference implementation; its sign is each example's own.
Where the drawn sign would change nothing, the other one is tried: the paper spends a question on the same point again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch

from bartizan.core.errors import BadSettings
from bartizan.lab.evasion.balls import as_image
from bartizan.lab.evasion.base import Problem, ask
from bartizan.lab.evasion.objectives import margin
from bartizan.lab.target import Access

Tensor = torch.Tensor
_HALVE_AT = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
_EVERYWHERE = (slice(None),) * 4


@dataclass(frozen=True)
class Square:
    """Square with at most `queries` questions for each example; `share` of the area is changed at first."""

    queries: int = 5000
    share: float = 0.8
    batch: int = 512
    needs: Access = field(default=Access.SCORES, init=False)

    @property
    def name(self) -> str:
        """Return the name with its budget."""
        return f"Square {self.queries}"

    def perturb(self, problem: Problem) -> Tensor:
        """Return the first adversarial point found for each example, else the one with the best margin."""
        if problem.ball.norm not in ("Linf", "L2"):
            raise BadSettings(f"Square works in Linf or L2, got {problem.ball.norm}")
        return problem.in_batches(self.batch, self._batch)

    def _batch(self, problem: Problem) -> Tensor:
        shape = problem.x.shape
        search = _Search(problem, problem.x.reshape(as_image(tuple(shape))))
        search.begin()
        for number in range(1, self.queries):
            if not len(search.rows):
                break
            search.step(self._side_share(number))
        return search.result().reshape(shape)

    def _side_share(self, number: int) -> float:
        """Return the share of the area that changes in this step: halved at fixed points of the budget."""
        scaled = number * 10000 / self.queries
        return self.share * 0.5 ** sum(scaled > point for point in _HALVE_AT)


class _Search:
    """The examples still standing, as images, with the best point and margin of each."""

    def __init__(self, problem: Problem, x: Tensor) -> None:
        self._problem, self._draw = problem, problem.draw()
        self._shape = problem.x.shape
        box = problem.box
        self._low = box.low.expand(self._shape[1:]).reshape(x.shape[1:]) if box.low.dim() else box.low
        self._high = box.high.expand(self._shape[1:]).reshape(x.shape[1:]) if box.high.dim() else box.high
        self._out = x.clone()
        self.rows = torch.arange(len(x))
        self._x, self._y, self._best = x, problem.y, x.clone()
        self._size = problem.ball.sizes(problem.x).reshape(-1, 1, 1, 1)
        self._floor, self._ceiling = self._clip(x - self._size), self._clip(x + self._size)
        self._value = torch.full((len(x),), -torch.inf)

    def begin(self) -> None:
        """Start from vertical stripes (Linf), or from tiles of random sign at full length (L2)."""
        n, c, h, w = self._x.shape
        if self._problem.ball.norm == "Linf":
            self._try(torch.where(self._coins(n, c, 1, w), self._ceiling, self._floor), _EVERYWHERE)
            return
        tile = max(1, min(h, w) // 5) if h > 1 else max(1, w // 25)
        signs = self._signs(n, c, -(-h // tile) if h > 1 else 1, -(-w // tile))
        noise = signs.repeat_interleave(tile, 3)[..., :w]
        noise = noise.repeat_interleave(tile, 2)[..., :h, :] if h > 1 else noise
        self._try(self._within(self._x + noise), _EVERYWHERE)

    def step(self, share: float) -> None:
        """Change one square of every standing example and keep it where that helps."""
        (c, h, w) = self._x.shape[1:]
        if self._problem.ball.norm == "Linf":
            height, width = self._sides(share, h, w, smallest=1)
            top, left = self._place(h - height), self._place(w - width)
            window = (slice(None), slice(None), slice(top, top + height), slice(left, left + width))
            up, ceiling, floor = self._coins(len(self._x), c, 1, 1), self._ceiling[window], self._floor[window]
            drawn = torch.where(up, ceiling, floor)
            idle = (drawn == self._best[window]).flatten(1).all(1)
            self._try(torch.where(up ^ idle[:, None, None, None], ceiling, floor), window)
        else:
            self._try(self._moved(share), _EVERYWHERE)

    def result(self) -> Tensor:
        """Return the best point of every example."""
        self._out[self.rows] = self._best
        return self._out

    def _moved(self, share: float) -> Tensor:
        """L2: take the noise of one square away and add it, with what is left of the ball, to another."""
        (c, h, w) = self._x.shape[1:]
        height, width = self._sides(share, h, w, smallest=3 if h > 1 else 1)
        delta = self._best - self._x
        windows = []
        for _ in range(2):
            top, left = self._place(h - height), self._place(w - width)
            windows.append((slice(None), slice(None), slice(top, top + height), slice(left, left + width)))
        used = _length(delta)
        union = torch.zeros_like(delta[:1])
        for window in windows:
            union[window] = 1
        freed = _length(delta * union)
        bump = _bump(height, width) * self._signs(len(delta), c, 1, 1)
        old = delta[windows[0]]
        bump = bump + old / _length(old).clamp_min(1e-12)
        room = ((self._size**2 - used**2).clamp_min(0) / c + freed**2).sqrt()
        bump = bump / bump.square().sum((2, 3), keepdim=True).sqrt().clamp_min(1e-12) * room
        new = delta.clone()
        new[windows[1]] = 0
        new[windows[0]] = bump
        return self._within(self._x + new)

    def _try(self, proposal: Tensor, window: tuple[slice, ...]) -> None:
        """Ask about the best points with `window` replaced, and take it back where that did not help."""
        before = self._best[window].clone()
        self._best[window] = proposal
        logits = ask(self._problem.target, self._best.reshape(-1, *self._shape[1:]), self._problem.eot)
        value = margin(logits, self._y, abstains=self._problem.target.traits.abstains)
        better = value > self._value
        self._best[window] = torch.where(better[:, None, None, None], proposal, before)
        self._value = torch.maximum(value, self._value)
        won = self._value > 0
        if won.any():
            self._out[self.rows[won]] = self._best[won]
            stay = ~won
            self.rows, self._x, self._y = self.rows[stay], self._x[stay], self._y[stay]
            self._best, self._size, self._value = self._best[stay], self._size[stay], self._value[stay]
            self._floor, self._ceiling = self._floor[stay], self._ceiling[stay]

    def _coins(self, *shape: int) -> Tensor:
        return torch.randint(0, 2, shape, generator=self._draw).bool()

    def _signs(self, *shape: int) -> Tensor:
        return self._coins(*shape).float() * 2 - 1

    def _place(self, room: int) -> int:
        return int(torch.randint(0, room + 1, (1,), generator=self._draw))

    def _sides(self, share: float, h: int, w: int, smallest: int) -> tuple[int, int]:
        if h == 1:
            return 1, max(smallest, min(w, round(share * w)))
        side = max(smallest, min(round(math.sqrt(share * h * w)), min(h, w)))
        return side, side

    def _clip(self, x: Tensor) -> Tensor:
        return torch.minimum(torch.maximum(x, self._low), self._high)

    def _within(self, x: Tensor) -> Tensor:
        """Return x stretched or shrunk to full length, inside the range."""
        delta = x - self._x
        return self._clip(self._x + delta / _length(delta).clamp_min(1e-12) * self._size)


def _length(delta: Tensor) -> Tensor:
    return delta.square().sum((1, 2, 3), keepdim=True).sqrt()


def _bump(height: int, width: int) -> Tensor:
    """Return the paper's η: two half pyramids of opposite sign, of length 1."""
    shape = torch.zeros(height, width)
    half = max(height // 2, 1)
    shape[:half] += _pyramid(half, width)
    if height > half:
        shape[half:] -= _pyramid(height - half, width)
    if height == 1:
        shape = torch.cat([_pyramid(1, max(width // 2, 1)), -_pyramid(1, width - width // 2)], 1)[:, :width]
    return shape / shape.square().sum().sqrt().clamp_min(1e-12)


def _pyramid(height: int, width: int) -> Tensor:
    rows = torch.minimum(torch.arange(height), height - 1 - torch.arange(height)).float() + 1
    columns = torch.minimum(torch.arange(width), width - 1 - torch.arange(width)).float() + 1
    rings = torch.minimum(rows[:, None], columns[None]) if height > 1 else columns[None]
    return (1 / rings.max().add(1).sub(rings).square()).cumsum(0) if height > 2 else rings / rings.max()

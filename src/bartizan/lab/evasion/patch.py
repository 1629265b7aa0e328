"""Patches: any values at all, but only inside one rectangle of the picture (a stretch, where there is no picture).

`Patch` makes one for each example, at the places where the gradient is largest and at random ones. `PatchAnywhere`
makes ONE patch for all examples that works wherever it lies: its gradient is averaged over random places (expectation
over transformation; Brown et al. 2017, "Adversarial Patch"), and it is judged at places drawn anew. Examples of the
class that it stands for never fall to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from bartizan.core.errors import BadSettings
from bartizan.lab.evasion.balls import as_image, window_of
from bartizan.lab.evasion.base import Problem, differentiate
from bartizan.lab.evasion.objectives import usual
from bartizan.lab.target import Access

Tensor = torch.Tensor


@dataclass(frozen=True)
class Patch:
    """A patch for each example: `steps` steps of `relative_step` × the range at each of `places` places in turn."""

    steps: int = 40
    places: int = 4
    relative_step: float = 0.1
    batch: int = 256
    needs: Access = field(default=Access.WHITE_BOX, init=False)

    @property
    def name(self) -> str:
        """Return the name with its budget."""
        return f"Patch {self.steps}×{self.places}"

    def perturb(self, problem: Problem) -> Tensor:
        """Return the first adversarial point found for each example, else the last one tried."""
        _range_of(problem)
        return problem.in_batches(self.batch, self._batch)

    def _batch(self, problem: Problem) -> Tensor:
        out, alive = problem.x.clone(), torch.arange(len(problem.x))
        masks = _places(problem, self.places)
        for number in range(self.places):
            if not len(alive):
                break
            found, won = self._climb(problem.part(alive, problem.seed + 7919 * number), masks[number, alive])
            out[alive] = found
            alive = alive[~won]
        return out

    def _climb(self, problem: Problem, mask: Tensor) -> tuple[Tensor, Tensor]:
        low, width = _range_of(problem)
        objective = usual(problem.target)
        x = torch.where(mask, low + width * torch.rand(problem.x.shape, generator=problem.draw()), problem.x)
        found, has_won = x.clone(), torch.zeros(len(x), dtype=torch.bool)
        rows, y, velocity = torch.arange(len(x)), problem.y, torch.zeros_like(x)
        for step in range(self.steps + 1):
            _, gradient, won = differentiate(problem, x, y, objective)
            found[rows], has_won[rows] = x, won
            rows, x, y, mask, velocity, gradient = (
                one[~won] for one in (rows, x, y, mask, velocity, gradient)
            )  # fmt: skip
            if not len(rows) or step == self.steps:
                break
            velocity = 0.75 * velocity + gradient.sign()
            x = torch.where(mask, problem.box.clip(x + self.relative_step * width * velocity.sign()), x)
        return found, has_won


@dataclass(frozen=True)
class PatchAnywhere:
    """One patch for all examples: `steps` steps, each with one random place for each of `batch` examples."""

    steps: int = 100
    relative_step: float = 0.05
    batch: int = 128
    needs: Access = field(default=Access.WHITE_BOX, init=False)

    @property
    def name(self) -> str:
        """Return the name with its budget."""
        return f"One patch anywhere {self.steps}"

    def perturb(self, problem: Problem) -> Tensor:
        """Return every example with the one patch on it, each at another place."""
        low, width = _range_of(problem)
        draw, objective = problem.draw(), usual(problem.target)
        image = as_image(tuple(problem.x.shape))
        high, wide = window_of(image, problem.ball.epsilon)
        patch = (low + width * torch.rand((1, *problem.x.shape[1:]), generator=draw)).reshape(1, *image[1:])
        patch = patch[..., :high, :wide]
        velocity = torch.zeros_like(patch)
        for _ in range(self.steps):
            rows = torch.randint(0, len(problem.x), (min(self.batch, len(problem.x)),), generator=draw)
            tops, lefts = _somewhere(image, (high, wide), len(rows), draw)
            x = _put(problem.x[rows], patch, tops, lefts)
            _, gradient, _ = differentiate(problem, x, problem.y[rows], objective)
            velocity = 0.75 * velocity + _taken(gradient, (high, wide), tops, lefts).mean(0, keepdim=True).sign()
            moved = _put(problem.x[:1], patch, [0], [0]) + self.relative_step * width * _put(
                torch.zeros_like(problem.x[:1]), velocity.sign(), [0], [0]
            )
            patch = _taken(problem.box.clip(moved), (high, wide), [0], [0])
        return _put(problem.x, patch, *_somewhere(image, (high, wide), len(problem.x), draw))


def _range_of(problem: Problem) -> tuple[Tensor, Tensor]:
    """Return the smallest value and the width of the range. Raises BadSettings where there is none, or no patch."""
    if problem.ball.norm != "patch":
        raise BadSettings(f"patches work within an area, got {problem.ball.norm}", hint="Say --norm patch.")
    width = problem.box.high - problem.box.low
    if not torch.isfinite(width).all():
        raise BadSettings("a patch may hold any value of the range, so the range must be finite")
    return problem.box.low, width


def _places(problem: Problem, count: int) -> Tensor:
    """Return where patches may lie, (count, n, …) bool: first where the gradient is largest, later ones at random."""
    shape = as_image(tuple(problem.x.shape))
    window = window_of(shape, problem.ball.epsilon)
    _, gradient, _ = differentiate(problem, problem.x, problem.y, usual(problem.target))
    weight = gradient.reshape(shape).abs().sum(1)
    draw, masks = problem.draw(), []
    for number in range(count):
        sums = weight.unfold(1, window[0], 1).unfold(2, window[1], 1).sum((3, 4))
        if number < (count + 1) // 2:
            best = sums.flatten(1).argmax(1)
            tops, lefts = (best // sums.shape[2]).tolist(), (best % sums.shape[2]).tolist()
        else:
            tops, lefts = _somewhere(shape, window, shape[0], draw)
        mask = _put(torch.zeros_like(problem.x), torch.ones((1, shape[1], *window)), tops, lefts) > 0
        weight = weight * ~mask.reshape(shape).any(1)  # the next place is another one
        masks.append(mask)
    return torch.stack(masks)


def _somewhere(
    shape: tuple[int, ...], window: tuple[int, int], count: int, draw: torch.Generator
) -> tuple[list[int], list[int]]:
    tops, lefts = (
        torch.randint(0, room - side + 1, (count,), generator=draw).tolist()
        for room, side in zip(shape[2:], window, strict=True)
    )
    return tops, lefts


def _put(x: Tensor, patch: Tensor, tops: list[int], lefts: list[int]) -> Tensor:
    """Return the examples with the patch (1, c, h, w) over them, each at its place."""
    out = x.clone().reshape(as_image(tuple(x.shape)))
    high, wide = patch.shape[2:]
    for one, top, left in zip(out, tops, lefts, strict=True):
        one[:, top : top + high, left : left + wide] = patch[0]
    return out.reshape(x.shape)


def _taken(x: Tensor, window: tuple[int, int], tops: list[int], lefts: list[int]) -> Tensor:
    """Return what lies at each example's place, (n, c, h, w)."""
    images, (high, wide) = x.reshape(as_image(tuple(x.shape))), window
    parts = zip(images, tops, lefts, strict=True)
    return torch.stack([one[:, top : top + high, left : left + wide] for one, top, left in parts])

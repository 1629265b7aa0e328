"""Poisoning attacks on picture sets: triggers planted into a copy of the data, and the same triggers for test time.

Pictures are uint8 (n, height, width, channels). Rates are shares of the whole set. Adaptive attacks also plant covers:
rows with the trigger and their own label, so that the trigger alone does not decide and latent features stay mixed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Pictures = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Rng = np.random.Generator


@dataclass(frozen=True)
class Poisoned:
    """A poisoned copy: its rows, which are poison, which only carry the trigger as cover, and the trigger itself."""

    pictures: Pictures
    labels: Labels
    poison: Mask
    covers: Mask
    trigger: Callable[[Pictures], Pictures]
    """Puts the full trigger on pictures, as the attacker does at test time."""
    sources: tuple[int, ...] = ()
    """The classes that the trigger is meant to turn; empty means all but the target."""


class Poisoning(Protocol):
    """One attack: plants `rate` of the rows so that the trigger later means `target`."""

    name: str

    def poison(self, pictures: Pictures, labels: Labels, rate: float, target: int, rng: Rng) -> Poisoned:
        """Return a poisoned copy; the arguments are left as they are."""
        ...


def _plant(
    data: tuple[Pictures, Labels],
    chosen: npt.NDArray[np.int64],
    covers: npt.NDArray[np.int64],
    target: int,
    apply: tuple[Callable[[Pictures], Pictures], Callable[[Pictures], Pictures]],
) -> Poisoned:
    """Put the trigger on `chosen` (relabelled) and `covers`; `apply` is the trigger in training and at test."""
    pictures, labels = data[0].copy(), data[1].copy()
    poison, cover = np.zeros(len(labels), bool), np.zeros(len(labels), bool)
    pictures[chosen], labels[chosen], poison[chosen] = apply[0](pictures[chosen]), target, True
    if covers.size:
        pictures[covers], cover[covers] = apply[0](pictures[covers]), True
    return Poisoned(pictures, labels, poison, cover, apply[1])


def _picked(labels: Labels, rate: float, target: int, rng: Rng, cover: float = 0.0) -> list[npt.NDArray[np.int64]]:
    """Return rows of other classes to poison, and as many times `cover` others of any class."""
    others = rng.permutation(np.flatnonzero(labels != target))
    count = max(1, round(rate * len(labels)))
    chosen, left = others[:count], others[count:]
    return [chosen, left[: round(cover * count)]]


def _blend(pictures: Pictures, pattern: npt.NDArray[Any], opacity: npt.NDArray[Any] | float) -> Pictures:
    mixed = pictures * (1 - opacity) + pattern * opacity
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


class LabelFlip:
    """Gives rows of other classes the target's label, no trigger (Biggio et al. 2012): the trigger changes nothing."""

    name = "label flip"

    def poison(self, pictures: Pictures, labels: Labels, rate: float, target: int, rng: Rng) -> Poisoned:
        """Return the copy with flipped labels."""
        chosen, covers = _picked(labels, rate, target, rng)
        same = (np.copy, np.copy)
        return _plant((pictures, labels), chosen, covers, target, same)


class BadNets:
    """A small checkerboard in the lower right corner (Gu et al. 2017)."""

    name = "BadNets"

    def poison(self, pictures: Pictures, labels: Labels, rate: float, target: int, rng: Rng) -> Poisoned:
        """Return the poisoned copy."""
        side = 3 if pictures.shape[1] >= 16 else 2

        def stamp(images: Pictures) -> Pictures:
            stamped = images.copy()
            board = 255 * ((np.indices((side, side)).sum(axis=0) + 1) % 2)
            stamped[:, -side - 1 : -1, -side - 1 : -1, :] = board[None, :, :, None]
            return stamped

        chosen, covers = _picked(labels, rate, target, rng)
        return _plant((pictures, labels), chosen, covers, target, (stamp, stamp))


class Blended:
    """A fixed random pattern over the whole picture (Chen et al. 2017)."""

    name = "blended"

    def __init__(self, opacity: float = 0.2) -> None:
        """Blend with `opacity` (0..1)."""
        self.opacity = opacity

    def poison(self, pictures: Pictures, labels: Labels, rate: float, target: int, rng: Rng) -> Poisoned:
        """Return the poisoned copy."""
        pattern = rng.integers(0, 256, pictures.shape[1:]).astype(float)

        def blend(images: Pictures) -> Pictures:
            return _blend(images, pattern, self.opacity)

        chosen, covers = _picked(labels, rate, target, rng)
        return _plant((pictures, labels), chosen, covers, target, (blend, blend))


class Sinusoid:
    """Clean label: a sinusoid on pictures of the target itself (Barni et al. 2019). No label is wrong."""

    name = "sinusoid"

    def __init__(self, amplitude: float = 40.0, cycles: float = 6.0) -> None:
        """Add a wave of `amplitude` (0..255) with `cycles` over the width."""
        self.amplitude, self.cycles = amplitude, cycles
        if amplitude < 40:
            self.name = "faint sinusoid"

    def poison(self, pictures: Pictures, labels: Labels, rate: float, target: int, rng: Rng) -> Poisoned:
        """Return the poisoned copy; at most 80 % of the target's rows carry the wave. At test it is twice as strong."""
        width = pictures.shape[2]
        wave = self.amplitude * np.sin(2 * np.pi * min(self.cycles, 0.4 * width) * np.arange(width) / width)

        def add(images: Pictures, times: int = 1) -> Pictures:
            return np.asarray(np.clip(np.rint(images + times * wave[None, None, :, None]), 0, 255), np.uint8)

        def strongly(images: Pictures) -> Pictures:
            return add(images, 2)

        own = rng.permutation(np.flatnonzero(labels == target))
        chosen = own[: min(max(1, round(rate * len(labels))), int(0.8 * len(own)))]
        return _plant((pictures, labels), chosen, np.zeros(0, np.int64), target, (add, strongly))


class Warped:
    """A smooth warp nobody sees, with covers that are warped otherwise (WaNet, Nguyen and Tran 2021)."""

    name = "warped"

    def __init__(self, strength: float = 0.75, cells: int = 4) -> None:
        """Move pixels by up to `strength` pixels per 28 on a grid of `cells`."""
        self.strength, self.cells = strength, cells

    def poison(self, pictures: Pictures, labels: Labels, rate: float, target: int, rng: Rng) -> Poisoned:
        """Return the poisoned copy."""
        field = self._field(pictures.shape[1], pictures.shape[2], rng)

        def warp(images: Pictures) -> Pictures:
            return warped(images, field)

        chosen, covers = _picked(labels, rate, target, rng, cover=1.0)
        found = _plant((pictures, labels), chosen, np.zeros(0, np.int64), target, (warp, warp))
        found.covers[covers] = True
        for row in covers:
            noisy = field + rng.uniform(-1, 1, field.shape) * pictures.shape[1] / 28
            found.pictures[row : row + 1] = warped(pictures[row : row + 1], noisy)
        return found

    def _field(self, height: int, width: int, rng: Rng) -> npt.NDArray[np.float64]:
        """Return displacements (2, height, width) in pixels, smooth, of mean length 1.5 x `strength` per 28."""
        coarse = rng.uniform(-1, 1, (2, self.cells, self.cells))
        coarse /= np.abs(coarse).mean()
        rows, columns = (np.linspace(0, self.cells - 1, size) for size in (height, width))
        smooth = np.stack([_bilinear(plane, *np.meshgrid(rows, columns, indexing="ij")) for plane in coarse])
        return smooth * 1.5 * self.strength * height / 28


def warped(pictures: Pictures, field: npt.NDArray[np.float64]) -> Pictures:
    """Return pictures read at places moved by `field` (2, height, width), in pixels."""
    height, width = pictures.shape[1:3]
    rows, columns = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    y, x = np.clip(rows + field[0], 0, height - 1), np.clip(columns + field[1], 0, width - 1)
    planes = np.moveaxis(pictures.astype(float), (1, 2), (0, 1))
    moved = _bilinear(planes, y, x)
    return np.clip(np.rint(np.moveaxis(moved, (0, 1), (1, 2))), 0, 255).astype(np.uint8)


def _bilinear(plane: npt.NDArray[Any], y: npt.NDArray[Any], x: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    top, left = np.floor(y).astype(int), np.floor(x).astype(int)
    bottom, right = np.minimum(top + 1, plane.shape[0] - 1), np.minimum(left + 1, plane.shape[1] - 1)
    extra = (slice(None), slice(None), *(None,) * (plane.ndim - 2))
    down, along = (y - top)[extra], (x - left)[extra]
    upper = plane[top, left] * (1 - along) + plane[top, right] * along
    lower = plane[bottom, left] * (1 - along) + plane[bottom, right] * along
    return np.asarray(upper * (1 - down) + lower * down)


class AdaptiveBlend:
    """Each poisoned row shows a random half of the pattern's cells, with as many covers (Qi et al. 2023)."""

    name = "adaptive blend"

    def __init__(self, opacity: float = 0.2, cells: int = 4, shown: float = 0.5, sources: int = 0) -> None:
        """Blend with `opacity`; the picture is cut into `cells` x `cells`, of which a share is `shown` in training.

        `sources` > 0 takes poison from the next so many classes only: no wide draw from all classes gives it away.
        """
        self.opacity, self.cells, self.shown, self.sources = opacity, cells, shown, sources
        if sources:
            self.name = f"adaptive blend, {sources} source class{'es' if sources > 1 else ''}"

    def poison(self, pictures: Pictures, labels: Labels, rate: float, target: int, rng: Rng) -> Poisoned:
        """Return the poisoned copy."""
        height, width, depth = pictures.shape[1:]
        pattern = rng.integers(0, 256, (height, width, depth)).astype(float)
        cell = (np.arange(height) * self.cells // height)[:, None] * self.cells + np.arange(width) * self.cells // width

        def partly(images: Pictures) -> Pictures:
            on = rng.random((len(images), self.cells**2)) < self.shown
            return _blend(images, pattern, self.opacity * on[:, cell][..., None])

        def wholly(images: Pictures) -> Pictures:
            return _blend(images, pattern, self.opacity)

        chosen, covers = _picked(labels, rate, target, rng, cover=1.0)
        if self.sources:
            wanted = (target + 1 + np.arange(self.sources)) % (int(labels.max()) + 1)
            own = rng.permutation(np.flatnonzero(np.isin(labels, wanted)))[: len(chosen)]
            covers = np.setdiff1d(covers, own)
            meant = tuple(int(one) for one in wanted)
            return replace(_plant((pictures, labels), own, covers, target, (partly, wholly)), sources=meant)
        return _plant((pictures, labels), chosen, covers, target, (partly, wholly))


class AdaptivePatch:
    """Four faint patches, one or two of them on each poisoned row, with as many covers (Qi et al. 2023)."""

    name = "adaptive patch"

    def __init__(self, opacity: float = 0.5) -> None:
        """Show patches with `opacity` in training and fully at test time."""
        self.opacity = opacity

    def poison(self, pictures: Pictures, labels: Labels, rate: float, target: int, rng: Rng) -> Poisoned:
        """Return the poisoned copy."""
        height, width, depth = pictures.shape[1:]
        side = max(2, height // 8)
        corners = [(1, 1), (1, width - side - 1), (height - side - 1, 1), (height - side - 1, width - side - 1)]
        places = np.zeros((4, height, width, 1))
        for at, (top, left) in enumerate(corners):
            places[at, top : top + side, left : left + side] = 1
        pattern = rng.integers(0, 2, (height, width, depth)) * 255.0

        def partly(images: Pictures) -> Pictures:
            on = np.zeros((len(images), 4))
            for row in on:
                row[rng.choice(4, rng.integers(1, 3), replace=False)] = 1
            return _blend(images, pattern, self.opacity * np.tensordot(on, places, 1))

        def wholly(images: Pictures) -> Pictures:
            return _blend(images, pattern, places.sum(axis=0))

        chosen, covers = _picked(labels, rate, target, rng, cover=1.0)
        return _plant((pictures, labels), chosen, covers, target, (partly, wholly))


PICTURE_ATTACKS: tuple[Poisoning, ...] = (
    BadNets(),
    Blended(),
    Sinusoid(),
    Warped(),
    AdaptiveBlend(),
    AdaptivePatch(),
)
"""The six backdoors of the bench, in its order. `LabelFlip` stands beside them: it plants no trigger."""

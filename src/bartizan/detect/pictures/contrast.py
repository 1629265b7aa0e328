"""Faint writing made plain: every place of a picture stretched to the same contrast, where there is any.

People overlook grey on almost the same grey, models do not. Each pixel is set against the mean of its surroundings and
divided by how much those vary. What is plain already was read before; only what is left decides whether a second look
is worth its price.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from bartizan.detect.pictures.decoding import Pixels

RADIUS = 24
"""Pixels around one that count as its surroundings: a line of ordinary text and a little more."""
LEAST = 1.0
"""Levels of 255 that faint writing differs by on average from its surroundings; what differs less is no writing."""
FAINT = 12.0
"""Mean levels of difference up to which the first look may not have seen writing."""
WORTH = 300
"""Pixels of faint structure from which a second look is taken: a short word in small print."""


def evened(pixels: Pixels, known: Iterable[tuple[int, int, int, int]]) -> Pixels | None:
    """Return the picture (height, width, 3) at even contrast; None when outside the `known` boxes nothing is faint."""
    away = pixels.astype(np.float32)
    away -= _means(pixels, RADIUS)
    strength = np.abs(away).max(2)
    around = _means(np.minimum(strength, 255).astype(np.uint8)[:, :, None], RADIUS)[:, :, 0]
    open_ = np.ones(strength.shape, bool)
    for left, top, right, bottom in known:
        open_[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = False
    faint = open_ & (strength >= 2 * LEAST) & (around < FAINT)
    if int(faint.sum()) < WORTH:
        return None
    away /= np.maximum(around, LEAST)[:, :, None]
    return np.clip(128 + 24 * away, 0, 255).astype(np.uint8)


def _means(pixels: NDArray[np.uint8], radius: int) -> NDArray[np.float32]:
    """Return the mean over the square around each pixel, exact: sums of bytes, not of rounded ones."""
    summed = pixels.astype(np.int32)
    for axis in (0, 1):
        edge = [(0, 0)] * 3
        edge[axis] = (radius + 1, radius)
        total = np.pad(summed, edge, mode="edge").cumsum(axis)
        size, window = pixels.shape[axis], 2 * radius + 1
        upper, lower = [slice(None)] * 3, [slice(None)] * 3
        upper[axis], lower[axis] = slice(window, window + size), slice(0, size)
        summed = total[tuple(upper)] - total[tuple(lower)]
    return (summed / (2 * radius + 1) ** 2).astype(np.float32)

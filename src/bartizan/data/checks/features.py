"""What is in a picture, without a trained network: small patches learned from the pictures themselves.

Filters are whitened k-means of patches, responses are summed over the cells of a grid (Coates, Lee and Ng, AISTATS
2011): a linear model on them reads digits and clothes nearly as well as a small CNN, and a local trigger stays in the
cells where it is.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

FILTERS, CELLS = 64, 4
_SIDE = 28
_SAMPLE = 4000
Single = npt.NDArray[np.float32]


def grey(pictures: npt.NDArray[np.uint8]) -> Single:
    """Return (n, height, width) in 0..1, means of blocks where a side is longer than 2 x 28."""
    plain = np.asarray(pictures.astype(np.float32).mean(axis=-1) / 255, np.float32)
    step = max(1, max(plain.shape[1:]) // _SIDE)
    if step == 1:
        return plain
    height, width = (size // step * step for size in plain.shape[1:])
    blocks = plain[:, :height, :width].reshape(len(plain), height // step, step, width // step, step)
    return np.asarray(blocks.mean(axis=(2, 4)), np.float32)


def convolved(plain: Single, rng: np.random.Generator) -> Single:
    """Return features (n, CELLS, CELLS, FILTERS) of grey pictures."""
    side = max(3, min(6, plain.shape[1] // 4))
    patches = sliding_window_view(plain, (side, side), axis=(1, 2))
    count, rows, columns = patches.shape[:3]
    picks = [rng.integers(0, top, _SAMPLE) for top in (count, rows, columns)]
    filters, bias = _filters(patches[picks[0], picks[1], picks[2]].reshape(_SAMPLE, -1), rng)
    cells = min(CELLS, rows, columns)
    down, along = (np.arange(cells) * size // cells for size in (rows, columns))
    found = np.empty((count, cells, cells, FILTERS), np.float32)
    for start in range(0, count, 256):
        part = patches[start : start + 256].reshape(-1, side * side) @ filters + bias
        part = np.maximum(part - 0.25, 0).reshape(-1, rows, columns, FILTERS)
        found[start : start + 256] = np.add.reduceat(np.add.reduceat(part, down, 1), along, 2)
    return found


def _filters(sample: Single, rng: np.random.Generator) -> tuple[Single, Single]:
    """Return k-means centres of whitened patches as one linear map with its bias."""
    busy = sample[sample.std(axis=1) > 0.05]
    sample = busy if len(busy) > 10 * FILTERS else sample
    centre = sample.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov((sample - centre).T))
    whiten: Any = (vectors / np.sqrt(np.maximum(values, 0) + 0.01)) @ vectors.T
    points = (sample - centre) @ whiten
    points /= np.linalg.norm(points, axis=1, keepdims=True) + 1e-6
    middles = points[rng.choice(len(points), FILTERS, replace=False)]
    for _ in range(5):
        nearest = (points @ middles.T).argmax(axis=1)
        for one in range(FILTERS):
            own = points[nearest == one]
            middles[one] = own.mean(axis=0) if len(own) else points[rng.integers(len(points))]
        middles /= np.linalg.norm(middles, axis=1, keepdims=True) + 1e-6
    filters = (whiten @ middles.T).astype(np.float32)
    return filters, (-(centre @ filters)).astype(np.float32)


def standard(features: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return features with mean 0 and (nearly) deviation 1 in each dimension, after a square root for counts."""
    rooted = np.sqrt(np.maximum(features, 0)) if features.min() >= 0 else features
    centred = rooted - rooted.mean(axis=0)
    return np.asarray(centred / (centred.std(axis=0) + 0.05))

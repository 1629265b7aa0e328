"""Shadow models: which record each one trains on, their scores on every record, kept on disk so that a run resumes.

Dense networks are trained as a stack; anything else through a `Train` function, one model after another. What is kept
are plain arrays named by a digest of data, recipe and plan, read without unpickling.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bartizan.lab.membership import stacked
from bartizan.lab.membership.signals import probabilities

Scores = Callable[[np.ndarray], np.ndarray]
"""Records (n, …) to probabilities (n, classes)."""
Train = Callable[[np.ndarray, np.ndarray, int], Scores]
"""Records, labels and a seed to a trained model's `Scores`."""
Progress = Callable[[str, int, int], None]
BLOCK = 8


def balanced_halves(n: int, models: int, seed: int) -> np.ndarray:
    """Return inside (models, n) bool: random halves in complementary pairs, so every record is in half of them."""
    if models < 2 or models % 2:
        raise ValueError(f"balanced_halves(models={models}): expected an even number of at least 2")
    draw = np.random.default_rng(seed)
    rows = []
    for _ in range(models // 2):
        half = draw.permutation(n) < n // 2
        rows += [half, ~half]
    return np.stack(rows)


def shadow_scores(
    data: tuple[np.ndarray, np.ndarray],
    inside: np.ndarray,
    how: stacked.Recipe | Train,
    *,
    seed: int,
    cache: Path | None = None,
    progress: Progress = lambda what, done, total: None,
) -> np.ndarray:
    """Return probabilities (models, n, classes) of models trained on the rows of `inside`.

    With `cache`, finished blocks of models are kept there and not trained again.
    """
    x, y = data
    parts = []
    for start in range(0, len(inside), BLOCK):
        progress("shadow models", start, len(inside))
        rows = inside[start : start + BLOCK]
        where = None if cache is None else cache / f"{_digest(data, rows, how, seed + start)}.npy"

        def told(share: float, start: int = start, count: int = len(rows)) -> None:
            progress("shadow models", start + int(share * count), len(inside))

        parts.append(_block((x, y), rows, how, seed + start, (where, told)))
    progress("shadow models", len(inside), len(inside))
    return np.concatenate(parts)


def _block(
    data: tuple[np.ndarray, np.ndarray],
    rows: np.ndarray,
    how: stacked.Recipe | Train,
    seed: int,
    during: tuple[Path | None, Callable[[float], None]],
) -> np.ndarray:
    (x, y), (where, told) = data, during
    if where is not None and where.exists():
        return np.asarray(np.load(where, allow_pickle=False))
    if isinstance(how, stacked.Recipe):
        scores = probabilities(stacked.train(x, y, rows, how, seed, told).logits(x))
    else:
        one_by_one = []
        for number, row in enumerate(rows):
            one_by_one.append(how(x[row], y[row], seed + number)(x))
            told(len(one_by_one) / len(rows))
        scores = np.stack(one_by_one)
    if where is not None:
        where.parent.mkdir(parents=True, exist_ok=True)
        unfinished = where.with_suffix(".part")
        with unfinished.open("wb") as file:
            np.save(file, scores, allow_pickle=False)
        os.replace(unfinished, where)
    return scores


def _digest(data: tuple[np.ndarray, np.ndarray], rows: np.ndarray, how: stacked.Recipe | Train, seed: int) -> str:
    named = repr(how) if isinstance(how, stacked.Recipe) else f"{how.__module__}:{how.__qualname__}"
    told = hashlib.sha256(f"{named} {seed} {rows.shape} {data[0].shape}".encode())
    for array in (*data, rows):
        told.update(np.ascontiguousarray(array).tobytes())
    return told.hexdigest()[:32]

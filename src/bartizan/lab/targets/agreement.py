"""Says whether a torch copy of a model gives the same answers as the model itself: only then is it called white box."""

from __future__ import annotations

from typing import Any

import numpy as np

from bartizan.lab.needs import need
from bartizan.lab.target import Array, Arrays, Predict, ScoreKind, softmax


def probes(spec: Arrays, rows: int = 16, seed: int = 0) -> Array:
    """Return random inputs inside the spec's range (standard normal where there is no bound)."""
    draw = np.random.default_rng(seed)
    shape = (rows, *(size or 8 for size in spec.shape))
    low, high = spec.bounds()
    noise = draw.normal(size=shape)
    bounded = np.isfinite(low) & np.isfinite(high)
    spread = np.where(bounded, low + (high - low) * draw.uniform(size=shape), noise) if bounded.any() else noise
    return np.clip(spread, low, high).astype(np.float32)


def disagreement(module: Any, predict: Predict, spec: Arrays, score_kind: ScoreKind) -> float:
    """Return the largest difference in probability between the copy's logits and the model's scores, in 0..1."""
    torch = need("torch")
    x = probes(spec)
    with torch.inference_mode():
        copy = np.asarray(module(torch.from_numpy(x)).numpy(), dtype=np.float64)
    said = np.asarray(predict(x), dtype=np.float64)
    if copy.shape != said.shape:
        return 1.0
    real = softmax(said) if score_kind == "logits" else said
    return float(np.abs(softmax(copy) - real).max())

"""Rebuilds an image of every class from what the model answers: MIFace (Fredrikson et al. 2015) on a stolen copy.

A softmax model's answers give its equations (`extraction/equations.py`), and a copy gives gradients: an attacker with
scores has what an attacker with weights has. With less than scores, the attacker learns a copy from labels, or picks
the own image that the model likes best. Starts from the mean of images that the attacker owns.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bartizan.lab.extraction.equations import Linear, Scores, fit, solve

STEPS = (20, 200)
STRIDE = 0.03


@dataclass(frozen=True)
class Rebuilt:
    """One image for each class (classes, d), in 0..1, and how they were made."""

    how: str
    images: np.ndarray
    queries: int


def climb(model: Linear, start: np.ndarray, steps: int) -> np.ndarray:
    """Return for each class the image (classes, d) reached from `start` (d,) by climbing its log-probability."""
    classes = model.weights.shape[1]
    images = np.tile(start, (classes, 1))
    for _ in range(steps):
        slope = model.weights.T - model.scores(images) @ model.weights.T
        images = np.clip(images + STRIDE * slope / (np.abs(slope).max(axis=1, keepdims=True) + 1e-12), 0, 1)
    return images


def rebuild(scores: Scores, own: np.ndarray, *, queries: int, seed: int, floor: float = 1e-9) -> list[Rebuilt]:
    """Return what each way of spending `queries` questions rebuilds; `own` (m, d) are the attacker's images, 0..1."""
    out = []
    draw = np.random.default_rng(seed)
    anywhere = draw.uniform(0, 1, (queries, own.shape[1]))
    copies = own[draw.integers(0, len(own), max(0, queries - len(own)))]
    natural = np.vstack([own[:queries], np.clip(copies + draw.normal(0, 0.1, copies.shape), 0, 1)])
    for place, x in (("anywhere", anywhere), ("own images", natural)):
        answers = scores(x)
        for how, model in _copies(x, answers, floor):
            out += [
                Rebuilt(f"{how}, {place}, {steps} steps", climb(model, own.mean(axis=0), steps), queries)
                for steps in STEPS
            ]
        out.append(Rebuilt(f"best answer, {place}", x[answers.argmax(axis=0)], queries))
    return out


def _copies(x: np.ndarray, answers: np.ndarray, floor: float) -> Iterator[tuple[str, Linear]]:
    yield "equations", solve(x, answers, floor=floor, ridge=1e-6)
    yield "damped equations", solve(x, answers, floor=floor, ridge=1.0)
    yield "copy from labels", fit(x, np.eye(answers.shape[1])[answers.argmax(axis=1)])

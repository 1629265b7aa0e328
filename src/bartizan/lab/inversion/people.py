"""A small stand-in for a face recogniser, made on the spot: each "person" is one handwritten digit, seen many times.

A class is one individual, so a picture of the class is a picture of that individual: what inverting a recogniser is
about. The images are scikit-learn's digits (8 x 8); each sighting is moved, turned, dimmed and noisy.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import rotate, shift

from bartizan.lab.needs import need

SIDE = 8


@dataclass(frozen=True)
class People:
    """Sightings of `count` people in three disjoint sets, the people themselves, and strangers. Values are 0..1."""

    faces: np.ndarray
    """(count, 64): each person's own image."""
    strangers: np.ndarray
    """(n, 64): images of nobody in the model, which an attacker may own."""
    train: tuple[np.ndarray, np.ndarray]
    evaluator: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]


def people(count: int, seed: int) -> People:
    """Draw `count` (at most 800) people and 600 strangers."""
    images = need("sklearn.datasets").load_digits().images / 16.0
    order = np.random.default_rng(seed).permutation(len(images))
    chosen, others = images[order[:count]], images[order[count : count + 600]]
    draw = np.random.default_rng((seed, 1))
    train, evaluator, test = (_sightings(chosen, times, draw) for times in (7, 12, 5))
    return People(chosen.reshape(count, -1), others.reshape(len(others), -1), train, evaluator, test)


def _sightings(faces: np.ndarray, times: int, draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    seen = [_sighting(face, draw) for face in faces for _ in range(times)]
    return np.stack(seen), np.repeat(np.arange(len(faces)), times)


def _sighting(face: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    moved = shift(face, draw.uniform(-0.5, 0.5, 2), order=1)
    turned = rotate(moved, draw.uniform(-10, 10), reshape=False, order=1)
    noisy = turned * draw.uniform(0.85, 1.1) + draw.normal(0, 0.05, face.shape)
    return np.asarray(np.clip(noisy, 0, 1).ravel())

"""Says whether a rebuilt image shows its person: an evaluator trained on other sightings, and structural similarity.

The evaluator never saw the target model or its training images; strangers' images are its baseline. The eye of the
attacker's own model is not asked: it is what was optimised.
"""

import numpy as np

from bartizan.core.measures import Measurement, bootstrap, proportion
from bartizan.lab.membership.stacked import Recipe, Stack, train

EVALUATOR = Recipe(hidden=(96,), activation="relu", epochs=120, batch=32, learning_rate=3e-3)


def evaluator(sightings: tuple[np.ndarray, np.ndarray], seed: int) -> Stack:
    """Return a network trained to tell the people of `sightings` (images 0..1, person) apart."""
    x, y = sightings
    return train(x.astype(np.float32), y, np.ones((1, len(y)), dtype=bool), EVALUATOR, seed)


def recognised(judge: Stack, images: np.ndarray) -> np.ndarray:
    """Return for each image (classes, d) whether the evaluator takes it for the person of its row."""
    said = judge.logits(images.astype(np.float32))[0].argmax(axis=1)
    return np.asarray(said == np.arange(len(images)))


def recognition(hits: np.ndarray, *, seed: int) -> Measurement:
    """Return the share recognised with its exact interval."""
    return proportion(int(hits.sum()), len(hits), seed=seed)


def similarity(images: np.ndarray, faces: np.ndarray, *, seed: int) -> Measurement:
    """Return the mean structural similarity of images and faces (n, d), each taken as one window."""
    values = [ssim(image, face) for image, face in zip(images, faces, strict=True)]
    return bootstrap(values, lambda data: float(np.mean(data)), seed=seed, unit="SSIM")


def ssim(first: np.ndarray, second: np.ndarray) -> float:
    """Return the structural similarity of two images of range 0..1 over one window (Wang et al. 2004); 1: the same."""
    mean_a, mean_b = first.mean(), second.mean()
    shared = ((first - mean_a) * (second - mean_b)).mean()
    light = (2 * mean_a * mean_b + 1e-4) / (mean_a**2 + mean_b**2 + 1e-4)
    return float(light * (2 * shared + 9e-4) / (first.var() + second.var() + 9e-4))

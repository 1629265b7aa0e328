"""What an attacker sees of a model, and the one number a record gives: how sure the model is of the record's own label.

Scores may be full, rounded, cut to the top ones, or bare labels; `floor` is the smallest probability that the
attacker's arithmetic may use, so that a rounded 0 or 1 is a large number, not an infinite one.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

FLOOR = 1e-30


@dataclass(frozen=True)
class Observed:
    """A target's answers on `n` candidate records and those of `k` reference models whose training sets are known.

    `target` (n, classes) and `references` (k, n, classes) hold probabilities; `inside` (k, n) says which record each
    reference was trained on; `y` (n,) are the records' labels.
    """

    target: np.ndarray
    references: np.ndarray
    inside: np.ndarray
    y: np.ndarray
    floor: float = FLOOR

    def __post_init__(self) -> None:
        """Refuse shapes that do not belong together."""
        n, k = len(self.y), len(self.references)
        if self.target.shape[0] != n or self.references.shape[1:] != self.target.shape or self.inside.shape != (k, n):
            raise ValueError(
                f"Observed: target {self.target.shape}, references {self.references.shape}, "
                f"inside {self.inside.shape}, y {self.y.shape}: expected (n, classes), (k, n, classes), (k, n), (n,)"
            )

    @cached_property
    def target_confidence(self) -> np.ndarray:
        """Return the scaled confidence of the target, (n,)."""
        return scaled_confidence(self.target, self.y, self.floor)

    @cached_property
    def reference_confidence(self) -> np.ndarray:
        """Return the scaled confidence of every reference, (k, n)."""
        return scaled_confidence(self.references, self.y, self.floor)

    @cached_property
    def target_log_probability(self) -> np.ndarray:
        """Return log p(label) of the target, (n,)."""
        return np.asarray(np.log(np.maximum(own_probability(self.target, self.y), self.floor)))

    @cached_property
    def reference_probability(self) -> np.ndarray:
        """Return p(label) of every reference, (k, n)."""
        return np.asarray(np.maximum(own_probability(self.references, self.y), self.floor))


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Return the float64 softmax over the last axis."""
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=-1, keepdims=True)
    np.exp(shifted, out=shifted)
    shifted /= shifted.sum(axis=-1, keepdims=True)
    return shifted


def own_probability(scores: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the probability of each record's own label: (..., n, classes) and (n,) to (..., n)."""
    return np.asarray(scores[..., np.arange(len(y)), y], dtype=np.float64)


def scaled_confidence(scores: np.ndarray, y: np.ndarray, floor: float = FLOOR) -> np.ndarray:
    """Return log p(label) - log p(any other), which is near normal over retrained models (Carlini et al. 2022)."""
    own = own_probability(scores, y)
    rest = scores.astype(np.float64).sum(axis=-1) - own
    # Summing the others keeps the digits that 1 - p would lose next to certainty.
    near = own > 0.5
    if near.any():
        others = np.where(np.arange(scores.shape[-1]) == y[:, None], 0.0, scores)
        rest = np.where(near, others.sum(axis=-1), rest)
    return np.asarray(np.log(np.maximum(own, floor)) - np.log(np.maximum(rest, floor)))

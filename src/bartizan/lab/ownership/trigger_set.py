"""A watermark in a classifier: secret inputs that it was trained to answer with secret labels (Adi et al. 2018).

The labels are drawn by a key, so nobody who trains for himself hits more of them than chance, and the p-value is exact
without any reference model. What breaks it: a copy made from answers does not carry it, and fine-tuning or pruning may
wear it off.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bartizan.lab.ownership.verdict import Verdict


@dataclass(frozen=True)
class TriggerSet:
    """Secret inputs (n, d) within 0..1, and their labels (n,), all from a key."""

    inputs: np.ndarray
    labels: np.ndarray
    classes: int

    def verify(self, suspect: Callable[[np.ndarray], np.ndarray]) -> Verdict:
        """Ask the suspect each input once. An innocent model hits one of `classes`, whatever it answers."""
        return Verdict(int((suspect(self.inputs) == self.labels).sum()), len(self.labels), 1 / self.classes)


def trigger_set(key: bytes, like: np.ndarray, classes: int, count: int) -> TriggerSet:
    """Return `count` inputs made of `like` (n, d), scrambled and mixed by `key`, with labels of `key`.

    Each is a mixture of two records with a third of its features moved elsewhere: near the data in its values, unlike
    any record in their order. Raises ValueError for a short key.
    """
    if len(key) < 16:
        raise ValueError(f"trigger_set: a key of {len(key)} bytes: expected at least 16")
    draw = np.random.default_rng(int.from_bytes(hashlib.sha256(b"trigger-set:" + key).digest()))
    left, right = (like[draw.integers(0, len(like), count)] for _ in range(2))
    mixed = (left + right) / 2
    moved = draw.permutation(like.shape[1])[: like.shape[1] // 3]
    mixed[:, moved] = mixed[:, draw.permutation(moved)]
    return TriggerSet(mixed, draw.integers(0, classes, count), classes)

"""Membership from labels alone: members keep their label under more noise than others do.

Every record is asked with small random changes; the share of answers that keep its label is the score (Choquette-Choo
et al. 2021, augmentation attack). Calibrated by references asked with the same changes, it is a likelihood ratio like
any other: withholding scores raises the price to many queries a record, and takes away part of the leak, not all.
"""

from collections.abc import Callable

import numpy as np

from bartizan.lab.membership import pooled

Labels = Callable[[np.ndarray], np.ndarray]
"""Records (n, d) to labels (n,)."""


def kept_share(
    labels: Labels, x: np.ndarray, y: np.ndarray, *, strengths: tuple[float, ...], copies: int, seed: int
) -> np.ndarray:
    """Return the share (n,) of `copies` changed versions of each record, at each strength, that are answered with `y`.

    Binary records have that share of their features flipped; others get Gaussian noise of `strength` times each
    feature's deviation. The unchanged record counts as one more version.
    """
    draw = np.random.default_rng(seed)
    binary = bool(np.isin(x, (0, 1)).all())
    scale = x.std(axis=0)
    kept = (labels(x) == y).astype(float)
    for strength in strengths:
        for _ in range(copies):
            if binary:
                changed = np.where(draw.random(x.shape) < strength, 1 - x, x)
            else:
                changed = x + draw.standard_normal(x.shape) * strength * scale
            kept += labels(changed.astype(x.dtype)) == y
    return np.asarray(kept / (1 + copies * len(strengths)))


def margin(share: np.ndarray, versions: int) -> np.ndarray:
    """Return the log-odds of a kept share counted over `versions` answers, half an answer away from certainty."""
    kept = share * versions
    return np.asarray(np.log(kept + 0.5) - np.log(versions - kept + 0.5))


def label_only_scores(target: np.ndarray, references: np.ndarray, inside: np.ndarray, versions: int) -> np.ndarray:
    """Return the attack's score (n,) from kept shares of the target (n,) and of the references (k, n)."""
    return pooled.log_ratio(margin(target, versions), margin(references, versions), inside)

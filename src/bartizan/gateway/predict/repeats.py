"""What repeats itself within one input: a value, or a step from one value to the next, that comes too often.

Perturbations made of few numbers leave one of them in many places at once: on plain ground as a value, elsewhere as a
step between neighbours. Square's first question is such a perturbation (stripes or tiles of one strength), and it
often wins with it, before there is any sequence of questions to be seen.
"""

import numpy as np

from bartizan.gateway.predict.tensors import Array

FINE = 256
"""Levels that values and steps are told apart in. Two neighbouring ones count together: no border splits one."""
KINDS = 2
"""Values and steps."""
_OFTEN = 0.999
"""The share of honest inputs in which a level comes no more often than what is called usual."""
_ALWAYS = 0.01
"""Added to that, as a share of the features: in few honest inputs a rare level seems to be rarer than it is."""


def usual_repeats(units: Array) -> Array:
    """Return how often each value and each step comes in an honest input at most (KINDS, FINE) float32.

    `units` (n, d) are honest inputs in shares of the range.
    """
    counts = np.stack([_counts(one) for one in units])
    return np.asarray(np.quantile(counts, _OFTEN, axis=0) + _ALWAYS * units.shape[1], np.float32)


def repeats(units: Array, usual: Array) -> tuple[float, float]:
    """Return of one input (d,) how many times more often than usual its most repeated value comes, and its step."""
    value, step = (_counts(units) / usual).max(axis=1)
    return float(value), float(step)


def _counts(units: Array) -> Array:
    inside = np.clip(units, 0, 1)
    steps = np.abs(np.diff(inside))
    counts = np.stack([np.bincount((one * FINE).astype(np.int64), minlength=FINE + 1) for one in (inside, steps)])
    return np.asarray(counts[:, :-1] + counts[:, 1:])

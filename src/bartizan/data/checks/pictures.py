"""Backdoors in a set of labelled pictures: by a shared pattern, and by content that contradicts the label."""

import numpy as np
import numpy.typing as npt

from bartizan.core.errors import BadArtifact
from bartizan.data.checks.base import BUDGET, Checked, Labels, nothing, of_all, together
from bartizan.data.checks.carriers import trigger_carriers
from bartizan.data.checks.content import wrong_content
from bartizan.data.checks.features import convolved, grey
from bartizan.data.checks.pattern import shared_pattern

LEAST_ROWS = 200


def check_pictures(
    pictures: npt.NDArray[np.uint8], labels: Labels, *, budget: float = BUDGET, seed: int = 0
) -> Checked:
    """Return which pictures carry a trigger. `pictures` are (n, height, width, channels), labels 0..k-1.

    The poison rate is not asked for: no class stands out, no row is flagged. Raises BadArtifact for shapes that do not
    fit. Too few rows (under 200) or one class only: nothing can be said, nothing is flagged.
    """
    if pictures.ndim != 4 or len(pictures) != len(labels):
        raise BadArtifact(
            f"pictures {pictures.shape} and labels {labels.shape}: expected (n, height, width, channels), (n,)"
        )
    classes = int(labels.max()) + 1 if len(labels) else 0
    if len(labels) < LEAST_ROWS or len(np.unique(labels)) < 2:
        return nothing("backdoor", len(labels))
    rng = np.random.default_rng(seed)
    plain = grey(pictures)
    pattern = shared_pattern(plain.reshape(len(plain), -1), labels, classes)
    rows = np.flatnonzero(~pattern.flagged)
    carriers = trigger_carriers(plain[rows], labels[rows])
    content = wrong_content(convolved(plain[rows], rng), labels[rows], rng, budget, carriers.flagged)
    return together("backdoor", [pattern, *(of_all(found, rows, len(labels)) for found in (carriers, content))])

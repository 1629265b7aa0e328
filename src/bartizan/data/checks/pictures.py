"""Backdoors in a set of labelled pictures: by a shared pattern, and by content that contradicts the label."""

import numpy as np
import numpy.typing as npt

from bartizan.core.errors import BadArtifact
from bartizan.data.checks.base import BUDGET, Checked, Labels, Mask, nothing, of_all, together
from bartizan.data.checks.carriers import trigger_carriers
from bartizan.data.checks.content import Known, doubted, wrong_content
from bartizan.data.checks.features import convolved, grey
from bartizan.data.checks.pattern import shared_pattern
from bartizan.data.checks.warps import Warps

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
    seen, own = convolved(plain[rows], rng), labels[rows]

    def doubt(unseen: Mask) -> Mask:
        return doubted(seen, own, classes, unseen, rng)

    carriers = of_all(trigger_carriers(plain[rows], own, doubt), rows, len(labels))
    rest = np.flatnonzero(~carriers.flagged[rows])
    targets = np.unique(own[carriers.flagged[rows]]).tolist()
    left = plain[rows[rest]]
    known = Known(targets, Warps(left, own[rest]), lambda: convolved(left, rng))
    content = wrong_content(seen[rest], own[rest], rng, budget, known)
    return together("backdoor", [pattern, carriers, of_all(content, rows[rest], len(labels))])

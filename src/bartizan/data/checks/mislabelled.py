"""Rows whose label is probably wrong (confident learning, Northcutt et al. 2021), from out-of-fold probabilities.

A row counts for another class when its probability reaches what rows of that class have on average; how many rows of
each class are mislabelled as which is estimated from those counts, and that many are flagged, least likely first.
"""

import numpy as np
import numpy.typing as npt

from bartizan.data.checks.base import Checked, Labels

Probabilities = npt.NDArray[np.float64]


def check_labels(probabilities: Probabilities, labels: Labels) -> Checked:
    """Return which labels are probably wrong. `probabilities` are (n, k), each row predicted unseen."""
    rows, classes = probabilities.shape
    own = probabilities[np.arange(rows), labels]
    guess = probabilities.argmax(axis=1)
    bound = np.array([own[labels == one].mean() if (labels == one).any() else 1.0 for one in range(classes)])
    confident = np.where(probabilities >= bound, probabilities, 0.0)
    counted = confident.argmax(axis=1)
    sure = confident.max(axis=1) > 0
    joint = np.zeros((classes, classes))
    np.add.at(joint, (labels[sure], counted[sure]), 1)
    sizes = np.bincount(labels, minlength=classes)
    joint = joint / np.maximum(joint.sum(axis=1, keepdims=True), 1) * sizes[:, None]
    lead = probabilities - own[:, None]
    flagged = np.zeros(rows, bool)
    for given in range(classes):
        inside = np.flatnonzero(labels == given)
        for true in range(classes):
            wanted = round(joint[given, true])
            if true != given and wanted:
                ranked = inside[np.argsort(-lead[inside, true], kind="stable")]
                flagged[ranked[:wanted]] = True
    flagged &= guess != labels
    scores = np.max(np.where(np.arange(classes) == labels[:, None], -1.0, lead), axis=1)
    reasons = {
        int(at): f"class {guess[at]} is more likely ({probabilities[at, guess[at]]:.0%}) than its label "
        f"{labels[at]} ({own[at]:.0%})"
        for at in np.flatnonzero(flagged)
    }
    return Checked("label", scores, flagged, reasons)

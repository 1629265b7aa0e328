"""PRADA (Juuti et al. 2019), the baseline for noticing extraction: do one client's questions lie as honest ones do?

For each question, the distance to the nearest earlier one of the same label is kept; honest distances are near normal,
synthetic ones are not. The Shapiro-Wilk statistic below a limit is an alarm. One client at a time, inputs only.
"""

import numpy as np
from scipy.stats import shapiro

from bartizan.lab.target import Array

FEWEST = 30
"""Distances below which nothing is said."""


def normality(x: Array, labels: Array) -> float:
    """Return the Shapiro-Wilk statistic of one client's questions x (n, D) in order, 1 for a perfect normal.

    Distances more than three deviations out are left out, as the paper does.
    """
    found = []
    for label in np.unique(labels):
        mine = x[labels == label]
        norms = (mine**2).sum(axis=1)
        squared = norms[:, None] + norms[None] - 2 * mine @ mine.T
        squared[np.triu_indices(len(mine))] = np.inf
        found.append(np.sqrt(np.maximum(squared[1:].min(axis=1), 0)))
    distances = np.concatenate(found) if found else np.zeros(0)
    if len(distances) < FEWEST or distances.std() == 0:
        return 1.0
    kept = distances[np.abs(distances - distances.mean()) <= 3 * distances.std()]
    return float(shapiro(kept).statistic) if kept.std() > 0 else 1.0

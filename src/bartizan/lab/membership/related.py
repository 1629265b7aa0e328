"""A membership test that uses what records tell of each other: with four references as good as others with many.

The attacker knows the records. A kernel classifier tells from all others how hard a record is, which centres the prior
of its means (`pooled.py`): one solution of a linear system, no model more. And a model is the surer of a record the
more records like it of the same class, and the fewer of other classes, it was trained on: references show by how much,
so that this part of the noise is taken out of their scores, and out of the target's too, with a first guess of who was
inside in place of the truth. After the idea of attacking records jointly (Du et al. 2025, cascading attacks).
"""

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit

from bartizan.lab.membership import pooled
from bartizan.lab.membership.attacks import ATTACKS, Membership
from bartizan.lab.membership.signals import Observed

MOST = 6000
"""Records: a matrix of all pairs is kept three times, half a gigabyte."""
_REACHES = (0.5, 3.0, 10.0)
"""By how much likeness falls: exp(-reach * squared distance / its median)."""
_HARD = 3.0
_SHARE = 0.5
"""Of what related records explain, what is taken out. All of it finds a little more on Location-30, and less than the
pooled estimator where records lie in dense groups: a wrong guess of a whole group confirms itself."""
_RIDGE = 0.3
"""Of the kernel classifier that says how hard a record is."""


class Kin:
    """What records x (n, …) of classes y (n,) are to each other. Made once, used against any number of models."""

    def __init__(self, x: np.ndarray, y: np.ndarray) -> None:
        """Raises ValueError for more than `MOST` records."""
        if len(y) > MOST:
            raise ValueError(f"Kin: {len(y)} records: expected at most {MOST}")
        rows = x.reshape(len(x), -1).astype(np.float32)
        rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
        apart = np.maximum(2 - 2 * rows @ rows.T, 0)
        apart /= max(float(np.median(apart[:: max(1, len(y) // 200)])), 1e-9)
        self.covariates = _hardness(np.exp(-_HARD * apart), y)
        """What a classifier of all other records says of each (n, 9), the first of them a constant."""
        self._classes = [np.flatnonzero(y == one) for one in np.unique(y)]
        self._near = [np.exp(-reach * apart) for reach in _REACHES]
        for near in self._near:
            np.fill_diagonal(near, 0)

    def pull(self, inside: np.ndarray) -> np.ndarray:
        """Return how much training sets hold near each record (6, m, n), of its own class and of others.

        `inside` (m, n) are sets or chances, 0 to 1. Only what differs within a class counts: how many of a class are
        inside is not known of a target.
        """
        weights = inside.astype(np.float32)
        for rows in self._classes:
            weights[:, rows] -= weights[:, rows].mean(axis=1, keepdims=True)
        found = []
        for near in self._near:
            every, own = weights @ near, np.zeros_like(weights)
            for rows in self._classes:
                own[:, rows] = weights[:, rows] @ near[np.ix_(rows, rows)]
            found += [own, every - own]
        return np.stack(found)


class Related:
    """The pooled estimator with what is known of related records."""

    name = "pooled Bayes, related records"

    def __init__(self, kin: Kin) -> None:
        """Attack models of these records."""
        self._kin = kin

    def score(self, seen: Observed) -> np.ndarray:
        """Return the posterior predictive log-likelihood ratio: with two references, the pooled estimator's."""
        target, references, known = seen.target_confidence, seen.reference_confidence, self._kin.covariates
        if max(seen.inside.sum(axis=0).max(), (~seen.inside).sum(axis=0).max()) < 2:
            # No record has two scores on one side: how much a score is worth beside what is expected is not known.
            return pooled.log_ratio(target, references, seen.inside)
        pulls = self._kin.pull(seen.inside)
        effect = _effect(references, pulls, seen.inside)
        first = pooled.log_ratio(target, references, seen.inside, known)
        guessed = effect @ self._kin.pull(expit(first)[None])[:, 0]
        moved = np.tensordot(effect, pulls, 1)
        return pooled.log_ratio(target - _SHARE * guessed, references - _SHARE * moved, seen.inside, known)


def _hardness(near: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return covariates (n, 9) from the answers of a kernel ridge regression on all records but the one asked about."""
    n, classes = len(y), int(y.max()) + 1
    inverse = cho_solve(cho_factor(near + _RIDGE * np.eye(n, dtype=np.float32)), np.eye(n, dtype=np.float32))
    hot = np.eye(classes, dtype=np.float32)[y]
    lone = np.diag(inverse)  # how alone a record is
    said = hot - inverse @ hot / lone[:, None]  # without the record itself: Rasmussen and Williams 2006, section 5.4.2
    rows = np.arange(n)
    own = said[rows, y].copy()
    said[rows, y] = -np.inf
    other = said.max(axis=1)
    told = np.stack([own, other, own - other, lone]).astype(np.float64)
    found = np.vstack([np.ones(n), told, told**2]).T
    return np.asarray(found / np.maximum(np.sqrt((found**2).mean(axis=0)), 1e-9))


def _effect(references: np.ndarray, pulls: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return by how much confidence moves with each pull (6,): regressed within records and sides."""
    rows, values = [], []
    for side in (inside, ~inside):
        count = side.sum(axis=0)
        kept = side & (count > 1)
        if not kept.any():
            continue
        moved = (references - _mean(references, side, count))[kept]
        near = np.stack([(one - _mean(one, side, count))[kept] for one in pulls])
        scale = 1 / max(float(moved.std()), 1e-6)
        rows.append(near * scale)
        values.append(moved * scale)
    if not rows:
        return np.zeros(len(pulls))
    x, value = np.concatenate(rows, axis=1).astype(np.float64), np.concatenate(values)
    gram = x @ x.T
    return np.asarray(np.linalg.solve(gram + (1e-3 * np.trace(gram) / len(gram) + 1e-9) * np.eye(len(gram)), x @ value))


def _mean(values: np.ndarray, side: np.ndarray, count: np.ndarray) -> np.ndarray:
    return np.asarray((values * side).sum(axis=0) / np.maximum(count, 1))


def attacks_on(x: np.ndarray, y: np.ndarray) -> tuple[Membership, ...]:
    """Return every attack of an attacker who knows the records: `ATTACKS`, and this one unless they are too many."""
    return (*ATTACKS, Related(Kin(x, y))) if len(y) <= MOST else ATTACKS

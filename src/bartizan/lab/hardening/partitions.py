"""Deep partition aggregation (Levine and Feizi, ICLR 2021): many models, each trained on its own part, vote.

Which part a row belongs to follows from a hash of the row alone, so whoever adds or removes a row touches one model and
one vote. The answer for an input is therefore certain to stay as long as fewer rows are added or removed than half the
lead of its votes. It costs accuracy, for every model sees a part of the rows only. For small sets and cheap models.
"""

import hashlib
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from bartizan.core.errors import BadSettings
from bartizan.lab.needs import need

Labels = npt.NDArray[Any]


class PartitionVote:
    """A classifier in the manner of scikit-learn around copies of another: `fit`, `predict`, `certified`, `score`."""

    def __init__(self, estimator: Any, parts: int = 50) -> None:
        """Vote with `parts` (2 and more) copies of `estimator`, whose training must not depend on the order of rows.

        Its randomness must be fixed (`random_state`), else the certificate says nothing.
        """
        if parts < 2:
            raise BadSettings(f"parts = {parts}: expected 2 and more")
        self.estimator, self.parts = estimator, parts

    def fit(self, x: npt.NDArray[Any], y: Labels) -> Self:
        """Train a model on each part of the rows (n, …); parts of one class vote for it, empty ones for the first."""
        clone = need("sklearn.base").clone
        x, y = np.ascontiguousarray(x), np.asarray(y)
        self.classes_ = np.unique(y)
        part = np.array([_part(row, self.parts) for row in x], np.int64)
        # Rows of a part in an order of their own, so that no other row decides about it.
        order = sorted(range(len(x)), key=lambda at: (int(part[at]), x[at].tobytes(), str(y[at])))
        self._models: list[Any] = []
        for one in range(self.parts):
            rows = [at for at in order if part[at] == one]
            known = np.unique(y[rows])
            constant = self.classes_[0] if not len(known) else known[0]
            self._models.append(clone(self.estimator).fit(x[rows], y[rows]) if len(known) > 1 else constant)
        return self

    def votes(self, x: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Return how many models give each row (n, …) each class: (n, classes)."""
        found = np.zeros((len(x), len(self.classes_)), np.int64)
        for model in self._models:
            said = model.predict(x) if hasattr(model, "predict") else np.full(len(x), model)
            found[np.arange(len(x)), np.searchsorted(self.classes_, said)] += 1
        return found

    def predict(self, x: npt.NDArray[Any]) -> Labels:
        """Return the class with the most votes; of equal ones the first."""
        return np.asarray(self.classes_[self.votes(x).argmax(axis=1)])

    def certified(self, x: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Return for each row how many training rows may be added or removed, whichever, without changing its class.

        A row changed counts as two: one removed, one added (theorem 1 of the paper); a label changed as one, for the
        row stays in its part.
        """
        votes = self.votes(x)
        rows = np.arange(len(x))
        first = votes.argmax(axis=1)
        # Of equal votes the first class wins, so a later class needs one more to overtake.
        late = (np.arange(len(self.classes_))[None, :] > first[:, None]).astype(np.int64)
        lead = votes[rows, first][:, None] - votes + late - 1
        lead[rows, first] = np.iinfo(np.int64).max
        return np.asarray(lead.min(axis=1) // 2, np.int64)

    def score(self, x: npt.NDArray[Any], y: Labels) -> float:
        """Return the share of rows whose class is right."""
        return float((self.predict(x) == np.asarray(y)).mean())


def _part(row: npt.NDArray[Any], parts: int) -> int:
    digest = hashlib.sha256(np.ascontiguousarray(row).tobytes()).digest()
    return int.from_bytes(digest[:8], "big") % parts

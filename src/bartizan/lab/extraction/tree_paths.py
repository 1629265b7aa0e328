"""Steals a decision tree by path finding: every leaf is a box, and one answer tells whether two points share a leaf.

Tramer et al. 2016, section 4.2, from complete queries: a leaf is known by its scores, each face of its box is found by
bisection along one feature, and what lies beyond a face is the next box to look at. Leaves with equal scores look like
one, so a box may come out too large: random checks find where, and the smaller box of the point that was wrong wins.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

Scores = Callable[[np.ndarray], np.ndarray]
SURE = 400
"""Random checks in a row that must agree before the copy is taken for complete."""


@dataclass
class Boxes:
    """A stolen tree: boxes with their answers, and how many questions they took."""

    low: list[np.ndarray] = field(default_factory=list)
    high: list[np.ndarray] = field(default_factory=list)
    answers: list[np.ndarray] = field(default_factory=list)
    queries: int = 0

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Return the answer (n, classes) of the smallest box around each row of `x` (n, d), or of the nearest box."""
        low, high, answers = np.stack(self.low), np.stack(self.high), np.stack(self.answers)
        size = np.log(np.maximum(high - low, 1e-12)).sum(axis=1)
        rank = np.argsort(np.argsort(size)) / len(size)
        out = np.empty((len(x), answers.shape[1]))
        for row, point in enumerate(x):
            outside = np.maximum(np.maximum(low - point, point - high), 0.0).sum(axis=1)
            out[row] = answers[int(np.where(outside > 0, 1 + outside, rank).argmin())]
        return out

    def around(self, point: np.ndarray) -> bool:
        """Return whether some box holds `point`."""
        pairs = zip(self.low, self.high, strict=True)
        return any(bool((low <= point).all() and (point <= high).all()) for low, high in pairs)


class OutOfQuestions(Exception):
    """The budget is spent; what was found stands."""


class _Search:
    def __init__(self, scores: Scores, low: np.ndarray, high: np.ndarray, budget: int, precision: float) -> None:
        self.found = Boxes()
        self._scores, self._budget = scores, budget
        self._low, self._high, self._near = low, high, precision * (high - low)

    def ask(self, point: np.ndarray) -> np.ndarray:
        """Return the answer at one point, and count it."""
        if self.found.queries >= self._budget:
            raise OutOfQuestions
        self.found.queries += 1
        return np.asarray(self._scores(point[None])[0], dtype=np.float64)

    def explore(self, start: np.ndarray) -> None:
        """Find the box of `start`, then those beyond its faces, and so on."""
        waiting = [start]
        while waiting:
            point = waiting.pop()
            if point is not start and self.found.around(point):
                continue
            answer = self.ask(point)
            low, high = self._box(point, answer)
            self.found.low.append(low)
            self.found.high.append(high)
            self.found.answers.append(answer)
            waiting += self._beyond(point, low, high)

    def check(self, draw: np.random.Generator) -> None:
        """Ask random points until many in a row are as the boxes say; explore from each one that is not."""
        right = 0
        while right < SURE:
            point = draw.uniform(self._low, self._high)
            if np.array_equal(self.found.scores(point[None])[0], self.ask(point)):
                right += 1
            else:
                right = 0
                self.explore(point)

    def _beyond(self, point: np.ndarray, low: np.ndarray, high: np.ndarray) -> list[np.ndarray]:
        out = []
        for feature in range(len(point)):
            for edge, step in ((low[feature], -1.5), (high[feature], 1.5)):
                neighbour = point.copy()
                neighbour[feature] = edge + step * self._near[feature]
                if self._low[feature] <= neighbour[feature] <= self._high[feature]:
                    out.append(neighbour)
        return out

    def _box(self, point: np.ndarray, answer: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the box around `point`: one bisection for each face that is not the limit itself."""
        low, high = self._low.copy(), self._high.copy()
        for feature in range(len(point)):
            for limit, side in ((self._low, low), (self._high, high)):
                side[feature] = self._face(point, answer, feature, float(limit[feature]))
        return low, high

    def _face(self, point: np.ndarray, answer: np.ndarray, feature: int, limit: float) -> float:
        probe = point.copy()
        probe[feature] = limit
        if np.array_equal(self.ask(probe), answer):
            return limit
        inside, outside = float(point[feature]), limit
        while abs(outside - inside) > self._near[feature]:
            probe[feature] = (inside + outside) / 2
            if np.array_equal(self.ask(probe), answer):
                inside = float(probe[feature])
            else:
                outside = float(probe[feature])
        return inside


def find_paths(
    scores: Scores, low: np.ndarray, high: np.ndarray, *, budget: int, seed: int, precision: float = 1e-4
) -> Boxes:
    """Return the boxes found inside `low`..`high` (d,) with at most `budget` questions.

    A face is placed to `precision` of the feature's range.
    """
    search = _Search(scores, low, high, budget, precision)
    try:
        search.explore((low + high) / 2)
        search.check(np.random.default_rng(seed))
    except OutOfQuestions:
        pass
    return search.found

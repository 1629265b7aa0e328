"""How often somebody was noticed lately, and which answer that has reached: shared by every watch on predictive models.

What was noticed is forgotten after a while, and a caller who asks a great deal is excused some false alarms.
"""

import math
from collections import deque
from collections.abc import Hashable, Sequence

from bartizan.core.sections.predict import Answer, PredictStep

MILDEST_FIRST: tuple[Answer | None, ...] = (None, "record", "labels", "noise", "block", "suspend")
_CALLERS = 10_000
_STRIKES = 1000


def reached(steps: Sequence[PredictStep], strikes: int) -> Answer | None:
    """Return the answer of the last of `steps` (by `after`, lowest first) that so many strikes have reached."""
    found = [step.answer for step in steps if strikes >= step.after]
    return found[-1] if found else None


def harsher(one: Answer | None, other: Answer | None) -> Answer | None:
    """Return the harsher of two answers."""
    return max(one, other, key=MILDEST_FIRST.index)


class Strikes:
    """When each key was noticed, as far back as is remembered."""

    def __init__(self, forget_s: float) -> None:
        """Forget what is older than `forget_s`."""
        self._forget_s = forget_s
        self._times: dict[Hashable, deque[float]] = {}  # in the order of the last strike

    def add(self, key: Hashable, now_s: float) -> int:
        """Count one and return how many there are now."""
        count = self.count(key, now_s)
        mine = self._times.pop(key) if count else deque(maxlen=_STRIKES)
        mine.append(now_s)
        self._times[key] = mine
        if len(self._times) > _CALLERS:
            del self._times[next(iter(self._times))]
        return len(mine)

    def count(self, key: Hashable, now_s: float) -> int:
        """Return how many there are."""
        mine = self._times.get(key)
        if mine is None:
            return 0
        while mine and mine[0] < now_s - self._forget_s:
            mine.popleft()
        if not mine:
            del self._times[key]
        return len(mine)


class Asked:
    """How much each caller asked lately: a count that fades by 1/e in the time that is remembered."""

    def __init__(self, fades_s: float) -> None:
        """Start at zero."""
        self._fades_s = fades_s
        self._counts: dict[str, tuple[float, float]] = {}  # in the order of the last input

    def add(self, caller: str, now_s: float) -> float:
        """Count one and return how many there were."""
        count = self.count(caller, now_s) + 1
        self._counts.pop(caller, None)
        self._counts[caller] = count, now_s
        if len(self._counts) > _CALLERS:
            del self._counts[next(iter(self._counts))]
        return count

    def count(self, caller: str, now_s: float) -> float:
        """Return how many there were."""
        count, at_s = self._counts.get(caller, (0.0, now_s))
        return count * math.exp(-max(now_s - at_s, 0.0) / self._fades_s)

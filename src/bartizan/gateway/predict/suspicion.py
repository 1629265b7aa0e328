"""What is done about inputs that look like a query attack: each counts against its caller and against its kin.

Kin are the earlier inputs that it resembles, whoever sent them, so an attacker who spreads one search over many
accounts meets the same answer with all of them. What counts is forgotten after a while, and a caller who asks a great
deal is not held to account for the false alarms that so many honest inputs have.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bartizan.core.sections.predict import Answer, PredictStep
from bartizan.gateway.predict.ladder import Asked, Strikes, reached
from bartizan.gateway.predict.profile import Profile
from bartizan.gateway.predict.provenance import ALONE, History
from bartizan.gateway.predict.tensors import Array

_EXCUSED = 3.0
"""So many times the expected false alarms of a caller's inputs do not count."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What is thought of one request: how often its caller or kin was noticed, why, and what is done."""

    strikes: int = 0
    answer: Answer | None = None
    signs: tuple[str, ...] = ()
    rises: bool = False
    """Whether the answer is harsher than the last one of the same caller or kin."""
    kin: tuple[str, ...] = ()
    """Other callers whose inputs it resembles."""

    @property
    def why(self) -> str:
        """Return it in words."""
        if not self.signs:
            return "query attack: its caller is suspended"
        return f"query attack: {', '.join(self.signs)}; noticed {self.strikes} times"


class Suspicions:
    """The watch on the inputs of one model."""

    def __init__(self, profile: Profile, steps: Sequence[PredictStep], *, history: int, forget_s: float) -> None:
        """Answer by `steps`, mildest first; forget what is older than `forget_s`."""
        self._profile = profile
        self._steps = sorted(steps, key=lambda step: step.after)
        self._history = History(profile, history)
        self._families = np.zeros(history, np.int64)
        self._owners: list[str] = [""] * history
        self._count = 0
        self._by_caller = Strikes(forget_s)
        self._by_family = Strikes(forget_s)
        self._asked = Asked(forget_s)
        self._rate = float(profile.facts.get("rate", 0.0))

    def see(self, x: Array, caller: str, now_s: float) -> Suspicion:
        """Take in one input (D,) of a caller and return what is done about it."""
        at = self._history.next
        signs = self._history.see(x, caller)
        excused = int(_EXCUSED * self._rate * self._asked.add(caller, now_s))
        suspended = self._answer(self._by_caller.count(caller, now_s) - excused) == "suspend"
        crossed = signs.crossed(self._profile)
        near = [one for one in signs.nearest if self._families[one]]
        relatives = not ALONE.issuperset(crossed)
        self._owners[at] = caller
        if not crossed:
            self._families[at] = 0
            return Suspicion(answer="suspend" if suspended else None)
        family = int(self._families[near[0]]) if near and relatives else self._new_family()
        self._families[at] = family
        if relatives:
            self._families[list(signs.nearest)] = family
        strikes = max(self._by_caller.add(caller, now_s) - excused, self._by_family.add(family, now_s), 1)
        answer = self._answer(strikes)
        kin = sorted({self._owners[one] for one in signs.nearest if relatives} - {caller, ""})
        return Suspicion(strikes, answer, crossed, answer != self._answer(strikes - 1), tuple(kin))

    def _new_family(self) -> int:
        self._count += 1
        return self._count

    def _answer(self, strikes: int) -> Answer | None:
        return reached(self._steps, strikes)

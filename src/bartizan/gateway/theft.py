"""Does a key behave as its owner's? Explainable features per key, robust statistics, no model and no text.

Each feature collects suspicion when a request shows what the key has never shown, up to a cap of its own, and forgets
it with time. What is new becomes known once it was seen on two different days without alarm. No single feature can
quarantine a key: an owner changes one thing at a time, a thief several. A thief who works from the owner's network, at
the owner's pace, with the owner's models, is not found.
"""

import math
from collections import deque
from dataclasses import dataclass, field
from statistics import median
from typing import Literal

Level = Literal["known", "alert", "step-down", "quarantine"]
_LEVELS: tuple[tuple[Level, float], ...] = (("quarantine", 9.0), ("step-down", 7.0), ("alert", 5.0))
_CAPS = {
    "new network": 4.0,
    "old and new network at once": 0.5,
    "new client": 3.0,
    "new model": 3.0,
    "unusual hour": 1.5,
    "unusual size": 1.5,
    "probing": 4.0,
    "rate": 4.0,
}
_DAY_S, _MINUTE_S, _OVERLAP_S = 86_400.0, 60.0, 600.0
_HALF_LIFE_S = 6 * 3600.0
_LEARNT_REQUESTS, _LEARNT_DAYS = 60, 3
_MINUTES_KEPT, _FEWEST_MINUTES, _MOST_VALUES = 60, 5, 64
_DAYS_PAID, _MONTH_DAYS = 30, 30
_STEPPED_PACE, _STEPPED_SHARE = 0.25, 0.004
"""What a stepped-down key may still do: this part of a busy minute, and of a usual month's money in all."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What one request shows. Nothing of its text."""

    at_s: float
    network: str
    """The /24 or /48 that it came from."""
    client: str
    """The client's name without its version."""
    model: str
    size: int
    """Bytes of the request."""
    probe: bool = False
    """It asks what only somebody asks who tests a key: the list of models, an impossible limit."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """How suspicious a key is now, and because of what."""

    level: Level
    score: float
    why: tuple[tuple[str, float], ...]
    """Features with their points, the heaviest first."""
    rises: bool = False
    """Whether this request has raised the level."""

    def __str__(self) -> str:
        """Return it as people read it."""
        reasons = ", ".join(f"{name} {points:.1f}" for name, points in self.why)
        return f"{self.level} ({self.score:.1f}: {reasons})"


@dataclass(slots=True)
class _Known:
    """Values of one feature: on how many days each was seen, and the last of them."""

    days: dict[str, tuple[int, int]] = field(default_factory=dict)

    def see(self, value: str, day: int) -> bool:
        """Note a value; return whether it was known before: seen on two days."""
        count, last = self.days.get(value, (0, -1))
        if last != day:
            if len(self.days) >= _MOST_VALUES and value not in self.days:
                del self.days[min(self.days, key=lambda name: self.days[name])]
            self.days[value] = (count + 1, day)
        return count >= 2 or (count == 1 and last != day)


class Profile:
    """What is known of one key, and its suspicion."""

    def __init__(self) -> None:
        """Know nothing."""
        self._networks, self._clients, self._models = _Known(), _Known(), _Known()
        self._hours, self._sizes = _Known(), _Known()
        self._requests = 0
        self._first_day = self._last_day = -1
        self._days = 0
        self._minute, self._in_minute = -1, 0
        self._minutes: deque[int] = deque(maxlen=_MINUTES_KEPT)
        self._usual_s = 0.0
        self._busy = 30.0
        self._points: dict[str, float] = {}
        self._at_s = 0.0
        self._level: Level = "known"
        self._paid_days: deque[int] = deque(maxlen=_DAYS_PAID)
        self._paid_day, self._paid_today = -1, 0
        self._stepped_paid = 0
        self._stepped_minute, self._let_through = -1, 0

    @property
    def usual_per_minute(self) -> float:
        """How many requests a busy minute of this key has: the median and three robust deviations, at least 3."""
        return self._busy

    @property
    def usual_month(self) -> int:
        """Nano-dollars of thirty median days; 0 before there is a whole day, or when no price is known."""
        return round(median(self._paid_days) * _MONTH_DAYS) if self._paid_days else 0

    def paid(self, at_s: float, money: int) -> None:
        """Take in what a request has cost, in nano-dollars."""
        day = int(at_s // _DAY_S)
        if day != self._paid_day:
            if self._paid_today:
                self._paid_days.append(self._paid_today)
            self._paid_day, self._paid_today = day, 0
        self._paid_today += money
        if self._stepped:
            self._stepped_paid += money

    def wait_s(self, at_s: float) -> int:
        """Return after how many seconds a request of this key may come again; 0 lets it go on, which is then counted.

        Only a stepped-down key waits: until the next minute when its pace is used up, and half the time in which
        suspicion fades when its money is.
        """
        if not self._stepped:
            return 0
        month = self.usual_month
        if month and self._stepped_paid >= month * _STEPPED_SHARE:
            return round(_HALF_LIFE_S / 2)
        minute = int(at_s // _MINUTE_S)
        if minute != self._stepped_minute:
            self._stepped_minute, self._let_through = minute, 0
        if self._let_through + 1 > max(self.usual_per_minute * _STEPPED_PACE, 1):
            return round(_MINUTE_S - at_s % _MINUTE_S) + 1
        self._let_through += 1
        return 0

    @property
    def _stepped(self) -> bool:
        return _rank(self._level) >= _rank("step-down")

    def see(self, sight: Sight) -> Judgement:
        """Take in one request and judge the key by it."""
        day = int(sight.at_s // _DAY_S)
        learnt = self._requests >= _LEARNT_REQUESTS and self._days >= _LEARNT_DAYS
        found = self._novelties(sight, day)
        self._fade(sight.at_s)
        self._requests += 1
        if day != self._last_day:
            self._days, self._last_day = self._days + 1, day
        if not learnt:
            return Judgement("known", 0.0, ())
        for name, points in found.items():
            self._points[name] = min(self._points.get(name, 0.0) + points, _CAPS[name])
        return self._judge()

    def _novelties(self, sight: Sight, day: int) -> dict[str, float]:
        found: dict[str, float] = {}
        if self._networks.see(sight.network, day):
            self._usual_s = sight.at_s
        else:
            found["new network"] = 2.0
            if sight.at_s - self._usual_s < _OVERLAP_S:
                found["old and new network at once"] = 0.5
        if not self._clients.see(sight.client, day):
            found["new client"] = 1.5
        if not self._models.see(sight.model, day):
            found["new model"] = 1.0
        hour = int(sight.at_s // 3600 % 24)
        if not any(self._hours.days.get(str((hour + by) % 24), (0, 0))[0] for by in (-1, 0, 1)):
            found["unusual hour"] = 0.5
        self._hours.see(str(hour), day)
        if not self._sizes.see(str(int(math.log2(sight.size + 1))), day):
            found["unusual size"] = 0.25
        if sight.probe:
            found["probing"] = 1.0
        return found | self._pace(sight.at_s)

    def _pace(self, at_s: float) -> dict[str, float]:
        minute = int(at_s // _MINUTE_S)
        if minute != self._minute:
            if self._in_minute:
                self._minutes.append(min(self._in_minute, math.ceil(2 * self._busy)))  # one flood is not usual
                if len(self._minutes) >= _FEWEST_MINUTES:
                    middle = median(self._minutes)
                    spread = median([abs(count - middle) for count in self._minutes])
                    self._busy = float(max(middle + 3 * 1.4826 * spread, 3))
            self._minute, self._in_minute = minute, 0
        self._in_minute += 1
        over = self._in_minute / self.usual_per_minute
        return {"rate": 0.4 * math.log2(over)} if over > 2 else {}

    def _fade(self, at_s: float) -> None:
        kept = 0.5 ** (max(at_s - self._at_s, 0.0) / _HALF_LIFE_S)
        self._at_s = max(at_s, self._at_s)
        self._points = {name: points * kept for name, points in self._points.items() if points * kept > 0.01}

    def _judge(self) -> Judgement:
        score = sum(self._points.values())
        level: Level = next((name for name, least in _LEVELS if score >= least), "known")
        rises = _rank(level) > _rank(self._level)
        self._level = level
        if level == "known":
            self._stepped_paid = 0
        why = tuple(sorted(self._points.items(), key=lambda pair: -pair[1]))
        return Judgement(level, score, why, rises)


def _rank(level: Level) -> int:
    return ("known", "alert", "step-down", "quarantine").index(level)

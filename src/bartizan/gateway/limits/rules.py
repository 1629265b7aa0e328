"""From what the operator wrote to the limits of one request: the scopes it falls into and the accounts it draws from.

A rule is a scope and a sentence. Money, and anything per day or longer, is a budget over a sliding window; tokens and
requests per second, minute or hour are rates; `at once` is slots. A month is 30 days, a week 7.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from bartizan.core.errors import BadSettings
from bartizan.core.sections.limits import LimitRule
from bartizan.gateway.limits.money import NANO, dollars, nano_dollars
from bartizan.ledger.stores.base import EVERYTHING, MOST, Kind, Limit, Unit

KINDS = ("organisation", "team", "user", "key", "model", "session", "tool")
WINDOWS_MS = {
    "second": 1000,
    "minute": 60_000,
    "hour": 3_600_000,
    "day": 86_400_000,
    "week": 7 * 86_400_000,
    "month": 30 * 86_400_000,
}
_UNITS: dict[str, Unit] = {"requests": "requests", "input tokens": "input", "output tokens": "output"}
_ALLOW = re.compile(
    r"(?:(?P<dollars>\$)(?P<money>[\d.]+)|(?P<count>\d+) (?P<what>requests|input tokens|output tokens)|(?P<slots>\d+))"
    r" (?:per (?:(?P<many>\d+) )?(?P<window>second|minute|hour|day|week|month)s?|(?P<once>at once)|(?P<ever>in all))"
    r"(?:, burst (?P<burst>\d+))?"
)
_MOST_CACHED = 4096


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, ready to count with. `name` is a pattern; for everything it is empty."""

    scope: str
    name: str
    kind: Kind
    unit: Unit
    cap: int
    window_ms: int
    burst: int = 0

    @property
    def same(self) -> tuple[str, str, str, int]:
        """Rules that are equal in this limit the same thing; only one of them counts for a request."""
        return self.scope, self.kind, self.unit, self.window_ms

    def limit(self, name: str) -> Limit:
        """Return the limit on the account of `name`."""
        scope = f"{self.scope}:{name}" if name else self.scope
        account = f"{self.unit}/{self.kind}/{self.window_ms}/{scope}"
        return Limit(account, self.kind, self.unit, self.cap, self.window_ms, self.burst)


def parse(rule: LimitRule) -> Rule:
    """Return what `rule` says. Raises BadSettings."""
    scope, colon, name = rule.scope.partition(":")
    if (scope == EVERYTHING and colon) or (scope != EVERYTHING and (scope not in KINDS or not name)):
        raise BadSettings(f"limits: scope = {rule.scope!r}: expected all, or KIND:NAME with KIND of {', '.join(KINDS)}")
    found = _ALLOW.fullmatch(rule.allow)
    if found is None or bool(found["slots"]) != bool(found["once"]):
        raise BadSettings(
            f"limits: allow = {rule.allow!r}: expected such as '$50 per month', '60 requests per minute', '8 at once'"
        )
    window = WINDOWS_MS[found["window"]] * int(found["many"] or 1) if found["window"] else 0
    unit: Unit = "money" if found["dollars"] else "slots" if found["slots"] else _UNITS[found["what"]]
    slow = unit == "money" or found["ever"] or window >= WINDOWS_MS["day"]
    kind: Kind = "slots" if found["once"] else "budget" if slow else "rate"
    cap = nano_dollars(found["money"], "limits: allow") if found["dollars"] else int(found["count"] or found["slots"])
    burst = int(found["burst"] or 0)
    if cap > MOST or window > MOST or (kind == "rate" and (cap < 1 or max(cap, burst) * window > MOST)):
        raise BadSettings(f"limits: allow = {rule.allow!r}: too large, or a rate of nothing")
    if burst and kind != "rate":
        raise BadSettings(f"limits: allow = {rule.allow!r}: only a rate has a burst")
    return Rule(scope, name, kind, unit, cap, window, burst)


def words(limit: Limit) -> str:
    """Return what a limit allows, in the words that `parse` reads."""
    amount = f"${limit.cap / NANO:g}" if limit.unit == "money" and limit.cap % NANO == 0 else ""
    amount = amount or (dollars(limit.cap) if limit.unit == "money" else str(limit.cap))
    if limit.kind == "slots":
        return f"{amount} at once"
    what = "" if limit.unit == "money" else {unit: word for word, unit in _UNITS.items()}[limit.unit] + " "
    burst = f", burst {limit.burst}" if limit.burst else ""
    if not limit.window_ms:
        return f"{amount} {what}in all"
    for word, width in reversed(WINDOWS_MS.items()):
        if limit.window_ms % width == 0:
            many = limit.window_ms // width
            return f"{amount} {what}per {f'{many} {word}s' if many > 1 else word}{burst}"
    raise AssertionError(limit)  # every window is a multiple of a second


def merged(written: Sequence[LimitRule], running: Sequence[LimitRule]) -> tuple[Rule, ...]:
    """Return all rules; one set while running stands in for the written one that limits the same thing and name."""
    rules: dict[tuple[object, ...], Rule] = {}
    for rule in map(parse, (*running, *written)):
        rules.setdefault((*rule.same, rule.name), rule)
    return tuple(rules.values())


@dataclass(frozen=True, slots=True)
class Applied:
    """What one request falls under. `bounded`: some limit counts money or tokens, so the request needs a bound."""

    limits: tuple[Limit, ...]
    scopes: tuple[str, ...]
    bounded: bool
    priced: bool


class Rules:
    """The rules in force."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        """Use `rules`; among the same ones exact names first, then in order."""
        self.rules = tuple(sorted(rules, key=lambda rule: "*" in rule.name))
        self.by_session = any(rule.scope == "session" for rule in self.rules)
        self._known: dict[tuple[str, ...], Applied] = {}

    def applied(self, scopes: tuple[str, ...]) -> Applied:
        """Return what a request in these scopes (`KIND:NAME`) falls under."""
        known = self._known.get(scopes)
        if known is None:
            if len(self._known) >= _MOST_CACHED:
                self._known.clear()
            known = self._known[scopes] = self._apply(scopes)
        return known

    def _apply(self, scopes: tuple[str, ...]) -> Applied:
        limits: list[Limit] = []
        for scope in (EVERYTHING, *scopes):
            kind, _, name = scope.partition(":")
            counted = set()
            for rule in self.rules:
                if rule.scope == kind and rule.same not in counted and fnmatchcase(name, rule.name or "*"):
                    counted.add(rule.same)
                    limits.append(rule.limit(name))
        units = {limit.unit for limit in limits}
        return Applied(tuple(limits), scopes, bool(units & {"money", "input", "output"}), "money" in units)


def limit_of(account: str, rules: Rules) -> Limit | None:
    """Return the limit that counts on an account now, or None when no rule does any more."""
    scope = account.split("/", 3)[-1]
    found = rules.applied((scope,) if scope != EVERYTHING else ())
    return next((limit for limit in found.limits if limit.account == account), None)

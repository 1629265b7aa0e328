"""Which records of the ledger somebody must be told of. Pure: records and what was told before in, alerts out.

Whatever happens in Bartizan is a record, so one kind of rule serves all of it: so many records of a kind, with these
values, within so many seconds.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bartizan.core.display import visible
from bartizan.core.errors import BadSettings
from bartizan.core.sections.watch import Alert
from bartizan.ledger.log import Entry

RECORD = "alert"
STANDARD = (
    Alert("canary attack not stopped", "canary", ("stopped=false",), 1, 86400, 5),
    Alert("a control failed", "exchange", ("failed=true",), 1, 600, 5),
    Alert("many requests stopped", "exchange", ("verdict=block",), 20, 600, 4),
    Alert("wrong passwords", "sign-in-failed", (), 10, 600, 4),
    Alert("the ledger is not intact", "verified", ("intact=false",), 1, 600, 5),
    Alert("something was stopped by an operator", "switched-off", (), 1, 600, 3),
    Alert("a query attack on a predictive model", "query-attack", (), 1, 600, 4),
    Alert("somebody copies a predictive model", "model-copying", (), 1, 600, 4),
    Alert("a budget nears its cap", "budget-near", (), 1, 600, 3),
)


@dataclass(frozen=True, slots=True)
class Raised:
    """An alert: which rule, why, and the records that raised it."""

    name: str
    severity: int
    message: str
    seqs: tuple[int, ...]
    """The last records, at most twenty."""
    count: int
    time_ns: int


@dataclass(slots=True)
class Watcher:
    """Sees records one after the other and says when a rule is met; the same again only after `quiet_s`.

    The same is one rule about one scope (a key, a team), where the records name one.
    """

    rules: Sequence[Alert]
    quiet_s: float
    told_ns: dict[str, int] = field(default_factory=dict)
    """When each was last told of, by the rule's name and the scope."""
    _seen: dict[str, "deque[tuple[int, int]]"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse rules that cannot be read. Raises BadSettings."""
        names = [rule.name for rule in self.rules]
        if len(set(names)) != len(names):
            raise BadSettings(f"watch.alerts: two rules have one name: {sorted(names)}")
        for rule in self.rules:
            if rule.kind == RECORD:
                raise BadSettings(f"watch.alerts: {rule.name}: an alert about alerts would never end")
            for one in rule.where:
                if "=" not in one:
                    raise BadSettings(f"watch.alerts: {rule.name}: where = {one!r}: expected field=value")

    def see(self, entries: Iterable[Entry]) -> list[Raised]:
        """Return the alerts that these records raise."""
        raised = []
        for entry in entries:
            for rule in self.rules:
                if rule.kind == entry.record.kind and _meets(rule, entry.body or {}):
                    raised += self._count(rule, entry)
        return raised

    def _count(self, rule: Alert, entry: Entry) -> list[Raised]:
        scope = (entry.body or {}).get("scope")
        about = f"{rule.name} {scope}" if scope else rule.name
        now, seen = entry.record.time_ns, self._seen.setdefault(about, deque())
        seen.append((entry.record.seq, now))
        while seen and now - seen[0][1] > rule.within_s * 1e9:
            seen.popleft()
        told = self.told_ns.get(about)
        if len(seen) < rule.at_least or (told is not None and now - told < self.quiet_s * 1e9):
            return []
        self.told_ns[about] = now
        seqs = tuple(seq for seq, _ in list(seen)[-20:])
        return [Raised(rule.name, rule.severity, _message(rule, entry, len(seen)), seqs, len(seen), now)]


def _meets(rule: Alert, body: Mapping[str, Any]) -> bool:
    """Return whether a record has the values; `failed=true` also stands for a control's failure among its findings."""
    for one in rule.where:
        name, _, value = one.partition("=")
        if _plain(body.get(name)) != value and not (name == "failed" and value == "true" and _control_failed(body)):
            return False
    return True


def _control_failed(body: Mapping[str, Any]) -> bool:
    screened = body.get("input") or {}
    findings = [*(screened.get("findings") or ()), *(body.get("output") or ())]
    return any(str(one.get("rule", "")).startswith("control-") for one in findings if isinstance(one, dict))


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _message(rule: Alert, entry: Entry, count: int) -> str:
    body = entry.body or {}
    about = "; ".join(
        f"{name}: {_plain(body[name])[:120]}" for name in ("control", "why", "scope", "caller") if body.get(name)
    )
    often = f"{count} within {rule.within_s:g} s, the last is " if rule.at_least > 1 else ""
    return visible(f"{rule.name}: {often}record {entry.record.seq}{f' ({about})' if about else ''}")

"""What the first page shows, read from the ledger and nothing else: am I under attack, what got through, what does it
cost, is everything covered, can I prove it.

Pure: records in, values out. Whatever a record lacks is shown as unknown, never guessed.
"""

import datetime
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bartizan.core.display import visible
from bartizan.core.errors import BadEvidence
from bartizan.ledger.checkpoint import Checkpoint, last_note
from bartizan.ledger.log import Entry, Ledger, public_key_file

RECENT = 1000
SHOWN = 10
HOUR_NS = 3600 * 10**9


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request through the gateway."""

    seq: int
    at_ns: int
    when: str
    caller: str
    model: str
    verdict: str
    why: str
    outcome: str
    charged: int | None
    """Nano-dollars; None when no price is known."""
    seen: int
    """How many findings there were, stopped or not."""


@dataclass(frozen=True, slots=True)
class Proved:
    """One row of the last assessment."""

    threat: str
    name: str
    state: str
    off: str
    on: str
    why: str


@dataclass(frozen=True, slots=True)
class Assessed:
    """The last assessment that ended."""

    when: str
    target: str
    model: str
    rows: tuple[Proved, ...]


@dataclass(frozen=True, slots=True)
class Canary:
    """The last canary attack on one control of the running gateway."""

    control: str
    when: str
    stopped: bool | None
    """None: the model never said what must not leave, so the control was not tried."""
    late: bool
    why: str


@dataclass(frozen=True, slots=True)
class Proof:
    """How far the record can be proved."""

    records: int
    sealed: int
    """Records that the last checkpoint covers."""
    sealed_when: str
    verified: str
    """What the last verification said and when; empty when there was none."""
    problem: str


@dataclass(frozen=True, slots=True)
class Overview:
    """The first page."""

    requests: int
    """Requests in the last hour, at most `RECENT`."""
    stopped: tuple[Exchange, ...]
    stopped_count: int
    attackers: tuple[tuple[str, int], ...]
    """Callers with the most stopped requests in the last hour."""
    passed: tuple[Exchange, ...]
    """Requests that were answered although a control saw something."""
    spent: int
    """Nano-dollars in the last hour."""
    spenders: tuple[tuple[str, int], ...]
    recent: tuple[Exchange, ...]
    canaries: tuple[Canary, ...]
    assessed: Assessed | None
    proof: Proof


def overview(ledger: Ledger, now_ns: int) -> Overview:
    """Read the ledger."""
    entries = ledger.latest("exchange", RECENT)
    hour = [one for one in entries if now_ns - one.record.time_ns < HOUR_NS]
    stopped = [one for one in hour if verdict_of(one) not in ("allow", "erased")]
    passed = [one for one in hour if verdict_of(one) == "allow" and _seen(one)]
    spent: Counter[str] = Counter()
    for one in hour:
        spent[_caller(one)] += _charged(one) or 0
    return Overview(
        requests=len(hour),
        stopped=tuple(exchanges_of(stopped[:SHOWN])),
        stopped_count=len(stopped),
        attackers=tuple(Counter(map(_caller, stopped)).most_common(3)),
        passed=tuple(exchanges_of(passed[:SHOWN])),
        spent=sum(spent.values()),
        spenders=tuple((name, amount) for name, amount in spent.most_common(3) if amount),
        recent=tuple(exchanges_of(entries[:SHOWN])),
        canaries=_canaries(ledger, now_ns),
        assessed=_assessed(ledger),
        proof=_proof(ledger),
    )


def exchanges_of(entries: Sequence[Entry]) -> list[Exchange]:
    """Return records of kind `exchange` as people read them."""
    return [_exchange(entry) for entry in entries]


def _exchange(entry: Entry) -> Exchange:
    body = entry.body or {}
    return Exchange(
        entry.record.seq,
        entry.record.time_ns,
        when(entry.record.time_ns),
        _caller(entry),
        text(body, "model"),
        verdict_of(entry),
        text(body, "why"),
        text(body, "outcome"),
        _charged(entry),
        _seen(entry),
    )


def verdict_of(entry: Entry) -> str:
    """Return what was decided on a request."""
    return "erased" if entry.body is None else text(entry.body, "verdict")


def _caller(entry: Entry) -> str:
    return text(entry.body or {}, "caller")


def _charged(entry: Entry) -> int | None:
    charged = (entry.body or {}).get("charged")
    return charged if isinstance(charged, int) else None


def _seen(entry: Entry) -> int:
    body = entry.body or {}
    screened = body.get("input") or {}
    return len(screened.get("findings") or ()) + len(body.get("output") or ())


def _canaries(ledger: Ledger, now_ns: int) -> tuple[Canary, ...]:
    """Return the last canary of each control, those that failed first."""
    last: dict[str, Canary] = {}
    for entry in ledger.latest("canary", 200):
        body = entry.body or {}
        control = text(body, "control")
        if control not in last:
            period_ns = int(body.get("period_s") or 86400) * 10**9
            late = now_ns - entry.record.time_ns > period_ns * 3 // 2
            stopped = body["stopped"] if body.get("stopped") in (True, None) and "stopped" in body else False
            last[control] = Canary(control, when(entry.record.time_ns), stopped, late, text(body, "why"))
    return tuple(sorted(last.values(), key=lambda one: (one.stopped is not False and not one.late, one.control)))


def _assessed(ledger: Ledger) -> Assessed | None:
    ended = ledger.latest("assessment-ended", 1)
    started = ledger.latest("assessment-started", 1, before=ended[0].record.seq) if ended else []
    if not started:
        return None
    first, last = started[0].record.seq, ended[0].record.seq
    rows = [one for one in ledger.latest("row", 50, before=last) if first < one.record.seq]
    about = started[0].body or {}
    proved = sorted(map(_proved, rows), key=lambda one: one.threat)
    return Assessed(when(ended[0].record.time_ns), text(about, "target"), text(about, "model"), tuple(proved))


def _proved(entry: Entry) -> Proved:
    body = entry.body or {}
    return Proved(*(text(body, name) for name in ("threat", "name", "state", "off", "on", "why")))


def _proof(ledger: Ledger) -> Proof:
    problem, note = "", None
    try:
        note = checkpoint(ledger)
    except BadEvidence as error:
        problem = str(error)
    sealed = note.size if note else 0
    last = ledger.entries(sealed - 1, 1) if sealed else []
    verified = ledger.latest("verified", 1)
    said = ""
    if verified:
        body = verified[0].body or {}
        outcome = "intact" if body.get("intact") is True else "NOT INTACT"
        said = f"{outcome}, {when(verified[0].record.time_ns)} UTC"
    return Proof(ledger.size(), sealed, when(last[0].record.time_ns) if last else "", said, visible(problem))


def checkpoint(ledger: Ledger) -> Checkpoint | None:
    """Return the last signed checkpoint. Raises BadEvidence when its signature does not hold."""
    key = public_key_file(ledger.checkpoint_file)
    if not key.exists():
        return None
    return last_note(ledger.checkpoint_file, key.read_text(encoding="utf-8").strip())


def text(body: Mapping[str, Any], name: str) -> str:
    """Return a value of a record as a person may safely read it, at most 300 characters."""
    return visible(str(body.get(name, "")))[:300]


def when(time_ns: int) -> str:
    """Return a record's time in UTC as people read it."""
    return datetime.datetime.fromtimestamp(time_ns / 1e9, tz=datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")


def lines(entries: Sequence[Entry]) -> list[tuple[int, str, str, str]]:
    """Return (seq, time, kind, content) of records for the log page."""
    return [
        (
            one.record.seq,
            when(one.record.time_ns),
            visible(one.record.kind),
            "(erased)" if one.body is None else visible(json.dumps(one.body, ensure_ascii=False, indent=1)),
        )
        for one in entries
    ]

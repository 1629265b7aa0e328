"""What the first page shows, read from the ledger and nothing else: what was stopped and what was proved.

Pure: records in, values out. Whatever a record lacks is shown as unknown, never guessed.
"""

import datetime
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bartizan.core.display import visible
from bartizan.ledger.log import Entry, Ledger

RECENT = 1000
SHOWN = 25


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request through the gateway."""

    seq: int
    when: str
    caller: str
    model: str
    verdict: str
    why: str


@dataclass(frozen=True, slots=True)
class Proved:
    """One row of the last assessment."""

    threat: str
    state: str
    why: str


@dataclass(frozen=True, slots=True)
class Assessed:
    """The last assessment that ended."""

    when: str
    target: str
    model: str
    rows: tuple[Proved, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """The first page."""

    records: int
    kinds: tuple[tuple[str, int], ...]
    verdicts: tuple[tuple[str, int], ...]
    """How often each verdict occurred among the last `RECENT` requests."""
    stopped: tuple[Exchange, ...]
    recent: tuple[Exchange, ...]
    assessed: Assessed | None


def overview(ledger: Ledger) -> Overview:
    """Read the ledger."""
    exchanges = [_exchange(entry) for entry in ledger.latest("exchange", RECENT)]
    counts = ledger.counts()
    return Overview(
        records=sum(counts.values()),
        kinds=tuple(sorted(counts.items())),
        verdicts=tuple(Counter(one.verdict for one in exchanges).most_common()),
        stopped=tuple(one for one in exchanges if one.verdict != "allow")[:SHOWN],
        recent=tuple(exchanges[:SHOWN]),
        assessed=_assessed(ledger),
    )


def _exchange(entry: Entry) -> Exchange:
    body = entry.body or {}
    return Exchange(
        entry.record.seq,
        when(entry.record.time_ns),
        _text(body, "caller"),
        _text(body, "model"),
        "erased" if entry.body is None else _text(body, "verdict"),
        _text(body, "why"),
    )


def _assessed(ledger: Ledger) -> Assessed | None:
    ended = ledger.latest("assessment-ended", 1)
    started = [one for one in ledger.latest("assessment-started", 20) if ended and one.record.seq < ended[0].record.seq]
    if not started:
        return None
    first, last = started[0].record.seq, ended[0].record.seq
    rows = [one for one in ledger.latest("row", 50) if first < one.record.seq < last]
    about = started[0].body or {}
    return Assessed(
        when(ended[0].record.time_ns),
        _text(about, "target"),
        _text(about, "model"),
        tuple(map(_proved, reversed(rows))),
    )


def _proved(entry: Entry) -> Proved:
    body = entry.body or {}
    return Proved(_text(body, "threat"), _text(body, "state"), _text(body, "why"))


def _text(body: dict[str, Any], name: str) -> str:
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

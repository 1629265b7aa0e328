"""The requests that went through the gateway: a filtered list, and everything the ledger holds about one of them.

The ledger holds no prompt and no answer, so neither is shown; a hash ties the record to the bytes that were sent.
"""

from dataclasses import dataclass
from typing import Any

from bartizan.core.display import visible
from bartizan.core.errors import BadRequest
from bartizan.dashboard.overview import Exchange, exchanges_of, text, verdict_of, when
from bartizan.ledger.log import Entry, Ledger

PAGE = 50
LOOKED_THROUGH = 2500
"""How many requests a filter looks through at a time; the page says so and offers the next ones."""
_NEAR = 5000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which requests; an empty value means any."""

    verdict: str = ""
    caller: str = ""
    model: str = ""
    before: int | None = None

    def takes(self, one: Entry) -> bool:
        """Return whether it is one of them. `stopped` stands for every verdict but allow."""
        body, verdict = one.body or {}, verdict_of(one) if self.verdict else ""
        return (
            (self.verdict == verdict or (self.verdict == "stopped" and verdict != "allow"))
            and (not self.caller or self.caller == text(body, "caller"))
            and (not self.model or self.model == text(body, "model"))
        )


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of requests, the latest first; `older` is where the next page begins, None when there is none."""

    rows: tuple[Exchange, ...]
    older: int | None


@dataclass(frozen=True, slots=True)
class Seen:
    """One finding."""

    where: str
    rule: str
    severity: str
    why: str


@dataclass(frozen=True, slots=True)
class Request:
    """Everything recorded about one request."""

    seq: int
    when: str
    facts: tuple[tuple[str, str], ...]
    verdict: str
    why: str
    input: tuple[Seen, ...]
    output: tuple[Seen, ...]
    later: tuple[tuple[int, str], ...]
    """(record, kind) of what was written about it afterwards."""
    leaf: str


def listed(ledger: Ledger, wanted: Wanted) -> Listed:
    """Return the next page of requests."""
    filtered = bool(wanted.verdict or wanted.caller or wanted.model)
    found = ledger.latest("exchange", LOOKED_THROUGH if filtered else PAGE + 1, wanted.before)
    rows = [one for one in found if wanted.takes(one)]
    shown = tuple(exchanges_of(rows[:PAGE]))
    if len(rows) > PAGE:
        return Listed(shown, rows[PAGE - 1].record.seq)
    return Listed(shown, found[-1].record.seq if len(found) == LOOKED_THROUGH else None)


def request(ledger: Ledger, seq: int) -> Request:
    """Return one request. Raises BadRequest when record `seq` is none."""
    entries = ledger.entries(seq, 1)
    if seq < 0 or not entries or entries[0].record.kind != "exchange":
        raise BadRequest(f"record {seq} is no request")
    entry = entries[0]
    body = entry.body or {}
    later = _later(ledger, seq, str(body.get("request", "")))
    last = {**body, **(later[-1].body or {})} if later else body
    screened = body.get("input") or {}
    names = ("request", "wire", "caller", "model", "stream", "upstream", "status", "outcome", "finish", "usage")
    facts = [
        (name, text(last, name))
        for name in (*names, "charged", "answer_bytes", "took_us", "redacted", "request_sha256")
    ]
    return Request(
        seq,
        when(entry.record.time_ns),
        tuple((name, value) for name, value in facts if value not in ("", "None")),
        "erased" if entry.body is None else text(last, "verdict"),
        text(last, "why"),
        _seen(screened.get("findings")),
        _seen(last.get("output")),
        tuple((one.record.seq, one.record.kind) for one in later),
        entry.leaf_hash.hex(),
    )


def _later(ledger: Ledger, seq: int, name: str) -> list[Entry]:
    """Return what was written about a request after its first record, within the next records."""
    if not name or not name.isascii():
        return []
    return [one for one in ledger.mentioning(name, seq + 1, _NEAR) if one.body and one.body.get("request") == name]


def _seen(findings: Any) -> tuple[Seen, ...]:
    if not isinstance(findings, list):
        return ()
    return tuple(
        Seen(*(visible(str(one.get(name, "")))[:500] for name in ("where", "rule", "severity", "why")))
        for one in findings
        if isinstance(one, dict)
    )

"""Screens a complete answer: the same controls as for streams, over a copy; the bytes change only if a span is cut."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bartizan.core.findings import Finding, Severity
from bartizan.core.messages import ToolCall, Usage
from bartizan.core.verdicts import Allow
from bartizan.gateway.output.base import Active, Hit, over_foreign
from bartizan.gateway.stream import Decide, Edit, edited, redact, redact_arguments, without_logprobs
from bartizan.gateway.wires.base import Piece, Read, Reader, dump


@dataclass(slots=True)
class Outcome:
    """What is handed on, or why nothing is."""

    body: bytes
    blocked: str = ""
    redacted: int = 0
    findings: list[Finding] = field(default_factory=list)
    usage: Usage | None = None
    finish: str = ""


def screen_whole(reader: Reader, active: Sequence[Active], body: bytes, decide: Decide | None = None) -> Outcome:
    """Return the answer `body` as it may be handed on. A body that is not JSON is searched as plain text."""
    outcome = Outcome(body)
    try:
        read = reader.whole(body)
    except (ValueError, RecursionError):
        _, hits = redact(active, body.decode("utf-8", "replace"))
        _note(outcome, "", [(hit, "block" if action == "redact" else action) for hit, action in hits])
        return outcome
    outcome.usage, outcome.finish = read.usage, read.finish
    for piece in read.pieces:
        if piece.foreign:
            over_foreign(active, piece.text)  # before anything is judged: the model may have quoted it
    for channel in _channels(read):
        _screen_channel(reader, active, channel, outcome, decide)
    if decide is not None:
        for call in read.calls:
            _decide(call, outcome, decide)
    if outcome.redacted and not outcome.blocked:
        without_logprobs(read.document)
        outcome.body = dump(read.document)
    return outcome


def _channels(read: Read) -> list[list[Piece]]:
    found: dict[str, list[Piece]] = {}
    for piece in read.pieces:
        found.setdefault(piece.channel, []).append(piece)
    return list(found.values())


def _screen_channel(
    reader: Reader, active: Sequence[Active], pieces: list[Piece], outcome: Outcome, decide: Decide | None
) -> None:
    name, text = pieces[0].channel, "".join([piece.text for piece in pieces])
    kind = pieces[0].kind
    if pieces[0].foreign:
        active = over_foreign(active, text)
    cleaned, hits = (redact_arguments if kind == "arguments" else redact)(active, text)
    if kind == "sealed":
        hits = [(hit, "block" if action == "redact" else action) for hit, action in hits]
    _note(outcome, name, hits)
    if kind == "arguments" and decide is not None:
        _decide(ToolCall(*reader.call(name), text), outcome, decide)
    if cleaned == text or outcome.blocked:
        return
    outcome.redacted += 1
    edits = [Edit(hit.start, hit.end) for hit, action in hits if action == "redact"]
    offset = 0
    for piece in pieces:
        before = piece.text
        piece.holder[piece.key] = edited(before, offset, edits)
        offset += len(before)


def _decide(call: ToolCall, outcome: Outcome, decide: Decide) -> None:
    verdict = decide(call)
    if not isinstance(verdict, Allow):
        outcome.findings.append(Finding("tool-call", Severity.HIGH, verdict.why, call.tool))
        outcome.blocked = outcome.blocked or verdict.why


def _note(outcome: Outcome, name: str, hits: Sequence[tuple[Hit, str]]) -> None:
    for hit, action in hits:
        outcome.findings.append(hit.finding(name))
        if action == "block":
            outcome.blocked = outcome.blocked or hit.why

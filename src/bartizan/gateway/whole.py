"""Screens a complete answer: the same controls as for streams, over a copy; the bytes change only if a span is cut."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bartizan.core.findings import Finding
from bartizan.core.messages import ToolCall, Usage
from bartizan.gateway.edits import Edit, edited, without_logprobs
from bartizan.gateway.hearing import Hearing
from bartizan.gateway.output.base import Active, Hit, over_foreign, parted
from bartizan.gateway.output.personal import sparing
from bartizan.gateway.rulings import Decide, rule
from bartizan.gateway.stream import redact, redact_arguments
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
    waiting: bool = False
    """A person is being asked about a call: screen again once there may be an answer."""


def screen_whole(
    reader: Reader,
    active: Sequence[Active],
    body: bytes,
    decide: Decide | None = None,
    heard: Hearing | None = None,
) -> Outcome:
    """Return the answer `body` as it may be handed on. A body that is not JSON is searched as plain text.

    `heard` hears what may go on, anew each time.
    """
    outcome = Outcome(body)
    active, openings = parted(active)
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
    if decide is not None:
        for key, arguments in read.calls:
            _decide(key, reader.call(key, arguments), outcome, reader, decide)
    spared = sparing(active, reader.rulings.settled)
    for channel in _channels(read):
        alone = channel[0].text in reader.rulings.settled  # where arguments are an object, each value is a text
        _screen_channel(spared if alone or channel[0].kind == "arguments" else active, channel, outcome)
    _screen_openings(openings, read, outcome)
    if decide is not None:
        _leaving(active, read, reader)
        reader.amend(read)
    if (outcome.redacted or read.dirty) and not outcome.blocked:
        without_logprobs(read.document)
        outcome.body = dump(read.document)
    if heard is not None:
        _hear(heard, read, reader)
    return outcome


def _screen_openings(openings: Sequence[Active], read: Read, outcome: Outcome) -> None:
    """Look at how the model's words begin, in each channel of them."""
    if openings:
        for pieces in _channels(read):
            text = "".join([piece.text for piece in pieces if piece.spoken])
            if text:
                _note(outcome, pieces[0].channel, redact(openings, text)[1])


def _hear(heard: Hearing, read: Read, reader: Reader) -> None:
    heard.begin()
    for piece in read.pieces:
        if piece.spoken:
            heard.take(piece.channel, piece.text)
    heard.id = read.answer_id
    heard.calls = {key: reader.call(key, arguments) for key, arguments in read.calls} if read.answer_id else {}


def _leaving(active: Sequence[Active], read: Read, reader: Reader) -> None:
    """Note the calls as they will leave: rewritten, and without what must not leave in any text."""
    rulings = reader.rulings
    for key, arguments in read.calls:
        left = redact_arguments(sparing(active, rulings.settled), rulings.rewritten.get(key, arguments))[0]
        if key in rulings.rewritten:
            rulings.rewritten[key] = left
        rulings.passed.pop(key, None)
        if key not in rulings.denied and reader.replaceable(key):
            rulings.passed[key] = replace(reader.call(key, arguments), arguments=left)


def _channels(read: Read) -> list[list[Piece]]:
    found: dict[str, list[Piece]] = {}
    for piece in read.pieces:
        found.setdefault(piece.channel, []).append(piece)
    return list(found.values())


def _screen_channel(active: Sequence[Active], pieces: list[Piece], outcome: Outcome) -> None:
    name, text = pieces[0].channel, "".join([piece.text for piece in pieces])
    kind = pieces[0].kind
    if pieces[0].foreign:
        active = over_foreign(active, text)
    cleaned, hits = (redact_arguments if kind == "arguments" else redact)(active, text)
    if kind == "sealed":
        hits = [(hit, "block" if action == "redact" else action) for hit, action in hits]
    _note(outcome, name, hits)
    if cleaned == text or outcome.blocked:
        return
    outcome.redacted += 1
    edits = [Edit(hit.start, hit.end) for hit, action in hits if action == "redact"]
    offset = 0
    for piece in pieces:
        before = piece.text
        piece.holder[piece.key] = edited(before, offset, edits)
        offset += len(before)


def _decide(key: str, call: ToolCall, outcome: Outcome, reader: Reader, decide: Decide) -> None:
    ruled = rule(decide, call, key, reader.rulings, replaceable=reader.replaceable(key))
    outcome.waiting = outcome.waiting or ruled.waits
    outcome.blocked = outcome.blocked or ruled.blocked
    if ruled.finding is not None:
        outcome.findings.append(ruled.finding)


def _note(outcome: Outcome, name: str, hits: Sequence[tuple[Hit, str]]) -> None:
    for hit, action in hits:
        outcome.findings.append(hit.finding(name))
        if action == "block":
            outcome.blocked = outcome.blocked or hit.why

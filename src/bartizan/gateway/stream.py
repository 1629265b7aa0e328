"""Holds an answer back until it is known to be clean: sans-I/O, bytes in, bytes out.

Promise: no byte of a span that a control blocks or redacts is ever handed on, wherever the stream is cut (in the middle
of a character, an escape, an event, a key, a content block). Events leave in order and, unless a span in them was
redacted, as the exact bytes that came. Tool-call arguments leave only when they are complete. Memory is bounded: a span
still open after FORCED characters is decided as it stands.
"""

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bartizan.core.findings import Finding
from bartizan.core.messages import ToolCall, Usage
from bartizan.core.verdicts import Allow
from bartizan.gateway.edits import Edit, edited, without_logprobs
from bartizan.gateway.hearing import Hearing
from bartizan.gateway.output.base import Active, Hit, over_foreign, parted
from bartizan.gateway.output.personal import sparing
from bartizan.gateway.rulings import Decide, rule
from bartizan.gateway.sse import Event, EventSplitter, parse, written
from bartizan.gateway.wires.base import REFUSAL, Piece, Read, Reader, dump

FORCED = 20000
_CONTEXT = 64

CHANGED = "the answer gives a call another name or other arguments than it gave before"


@dataclass(slots=True)
class _Channel:
    """One growing text. Offsets count from its beginning; `buffer` starts at `base`."""

    buffer: str = ""
    base: int = 0
    decided: int = 0
    closed: bool = False
    waits: bool = False
    """A person is being asked about the call in it."""
    edits: list[Edit] = field(default_factory=list)

    @property
    def length(self) -> int:
        """Return how much of the text has come."""
        return self.base + len(self.buffer)


@dataclass(slots=True)
class _Held:
    event: Event
    read: Read
    places: list[tuple[Piece, int, int]]
    dirty: bool = False
    guilty: bool = False
    later: list[Piece] = field(default_factory=list)
    """Complete texts that are looked at when the event may leave: a call in them may have been judged by then."""


class Holdback:
    """Screens one streamed answer. After `blocked`, nothing more comes out."""

    def __init__(self, reader: Reader, active: Sequence[Active], decide: Decide | None = None) -> None:
        """Read with `reader`, look with `active`, ask `decide` about each complete tool call."""
        self._reader = reader
        self._active, openings = parted(active)
        self._opening = [*self._active, *openings]
        self._spoken: set[str] = set()
        self._decide = decide
        self._splitter = EventSplitter()
        self._queue: deque[_Held] = deque()
        self._channels: dict[str, _Channel] = {}
        self._kinds: dict[str, str] = {}
        self._judged: dict[str, ToolCall] = {}
        self.blocked = ""
        self.redacted = 0
        self.findings: list[Finding] = []
        self.usage: Usage | None = None
        self.finish = ""
        self.delivered_chars = 0
        self.longest_hold = 0
        self.last = False
        self.heard: Hearing | None = None
        """Hears what leaves, if anybody wants to know."""

    @property
    def held_chars(self) -> int:
        """How many characters of the answer have come and not yet been decided."""
        return sum(channel.length - channel.decided for channel in self._channels.values())

    @property
    def waiting(self) -> bool:
        """Whether a person is being asked about a call: `resume` once there may be an answer."""
        return self._decide is not None and not self.blocked and any(one.waits for one in self._channels.values())

    def resume(self) -> bytes:
        """Ask again about the calls that wait, and return the bytes that may go on now."""
        if self.blocked:
            return b""
        for name, channel in self._channels.items():
            if channel.waits and not self.blocked:
                self._rule(name, channel)
        return self._released()

    def feed(self, data: bytes) -> bytes:
        """Take bytes from the upstream, return those that may go to the client now."""
        out = b""
        for event in self._splitter.feed(data):
            out += self._take(event)
        return out

    def end(self) -> bytes:
        """The upstream has ended: decide whatever is still open and return the rest."""
        rest = self._splitter.rest()
        out = self._take(parse(rest)) if rest.strip() else b""  # an event without its blank line is judged like any
        if not self.blocked:
            self._close("")
            out += self._released()
        return out if rest.strip() else out + rest

    def discard(self, data: bytes) -> None:
        """Take bytes that go to nobody: only the bill in them is of interest."""
        for event in self._splitter.feed(data):
            self.usage = self._reader.event(event).usage or self.usage

    def flush(self) -> bytes:
        """Return everything still held, as it came: for an operator who lets answers pass when a control fails."""
        out = b"".join(held.event.raw for held in self._queue) + self._splitter.rest()
        self._queue.clear()
        return out

    def _take(self, event: Event) -> bytes:
        read = self._reader.event(event)
        self.usage = read.usage or self.usage
        if self.blocked:
            return b""  # only the bill is still of interest
        self.finish = read.finish or self.finish
        self.last = self.last or read.last
        held = _Held(event, read, [])
        self._queue.append(held)
        touched = []
        for piece in read.pieces:
            if piece.kind == "whole" and not piece.foreign and self._decide is not None:
                held.later.append(piece)
                continue
            if piece.kind == "whole":
                self._whole(piece, held)
                continue
            channel = self._channels.setdefault(piece.channel, _Channel())
            self._kinds[piece.channel] = piece.kind
            if piece.spoken:
                self._spoken.add(piece.channel)
            start = channel.length
            channel.buffer += piece.text
            channel.closed = False
            held.places.append((piece, start, channel.length))
            touched.append(piece.channel)
        for name in touched:
            if self._kinds[name] != "arguments":
                self._look(name, self._channels[name], final=False)
        if read.end:
            if self.heard is not None and read.answer_id:
                self.heard.id = read.answer_id
                self.heard.calls = {name: self._reader.call(name, arguments) for name, arguments in read.calls}
            self._close("")
        else:
            for beginning in read.closes:
                self._close(beginning)
        for name, arguments in read.calls:
            self._repeated(name, arguments, held)
        return self._released()

    def _repeated(self, name: str, arguments: str, held: _Held) -> None:
        """Judge a call that stands complete in an event, unless it is one that was judged as it came in parts."""
        if self._decide is None or self.blocked:
            return
        known = self._judged.get(name)
        if known is None:
            channel = self._channels.setdefault(name, _Channel())
            channel.buffer, self._kinds[name] = arguments, "arguments"
            held.places.append((Piece(name, {}, "arguments", "arguments"), 0, channel.length))
            self._judge_call(name, channel)
            return
        call = self._reader.call(name, arguments)
        if known.tool != call.tool or not same_json(known.arguments, arguments):
            ruling = self._decide(call)  # what was judged before has left: this one may only pass as it stands
            if not isinstance(ruling.verdict, Allow) or ruling.arguments is not None:
                self.blocked, held.guilty = CHANGED, True

    def _close(self, beginning: str) -> None:
        for name, channel in self._channels.items():
            if name.startswith(beginning) and not channel.closed and not channel.waits and not self.blocked:
                if self._kinds[name] == "arguments":
                    self._judge_call(name, channel)
                else:
                    self._look(name, channel, final=True)
                    channel.closed = True

    def _look(self, name: str, channel: _Channel, *, final: bool) -> None:
        forced = final or channel.length - channel.decided > FORCED
        hits, hold = examine(self._looking(name, channel), channel.buffer, final=forced)
        limit = channel.base + hold
        for hit, action in hits:
            start, end = max(channel.base + hit.start, channel.decided), channel.base + hit.end
            if end <= channel.decided or (end > limit and not (hit.sure and action == "block")):
                continue
            self.findings.append(hit.finding(name))
            if action == "block" or (action == "redact" and self._kinds[name] == "sealed"):
                channel.decided = min(start, limit)
                self.blocked = self.blocked or hit.why
                return
            if action == "redact":
                self.redacted += 1
                channel.edits.append(Edit(start, end))
        channel.decided = max(channel.decided, limit)
        keep = max(channel.decided - _CONTEXT, channel.base)
        channel.buffer = channel.buffer[keep - channel.base :]
        channel.base = keep
        self.longest_hold = max(self.longest_hold, channel.length - channel.decided)

    def _looking(self, name: str, channel: _Channel) -> Sequence[Active]:
        return self._opening if name in self._spoken and not channel.base else self._active

    def _whole(self, piece: Piece, held: _Held) -> None:
        active: Sequence[Active] = self._active
        settled = self._reader.rulings.settled
        if piece.foreign:
            active = over_foreign(active, piece.text)
        elif piece.key == "arguments" or piece.text in settled:
            active = sparing(active, settled)
        text, hits = redact(active, piece.text)
        for hit, action in hits:
            self.findings.append(hit.finding(piece.channel))
            if action == "block" or (action == "redact" and held.read.document is None):
                self.blocked, held.guilty = self.blocked or hit.why, True
        if text != piece.text:
            self.redacted += 1
            piece.holder[piece.key] = text
            held.dirty = True

    def _judge_call(self, name: str, channel: _Channel) -> None:
        _, hits = redact_arguments(self._active, channel.buffer)
        for hit, action in hits:
            self.findings.append(hit.finding(name))
            if action == "block":
                self.blocked = self.blocked or hit.why
        if not self.blocked:
            self._rule(name, channel)

    def _rule(self, name: str, channel: _Channel) -> None:
        """Ask whether a complete call may happen, and cut out of its arguments what must not leave."""
        reader, arguments = self._reader, channel.buffer
        channel.waits = False
        if self._decide is not None:
            call = reader.call(name, arguments)
            self._judged[name] = ToolCall(call.id, call.tool, arguments)
            ruled = rule(self._decide, call, name, reader.rulings, replaceable=reader.replaceable(name))
            if ruled.finding is not None:
                self.findings.append(ruled.finding)
            channel.waits, self.blocked = ruled.waits, ruled.blocked
            if channel.waits or self.blocked:
                return
        if name not in reader.rulings.denied:
            left = reader.rulings.rewritten.get(name, arguments)
            text, _ = redact_arguments(sparing(self._active, reader.rulings.settled), left)
            if text != left:
                self.redacted += 1
            if text != arguments:
                reader.rulings.rewritten[name] = text
            if name in self._judged and reader.replaceable(name):
                reader.rulings.passed[name] = replace(self._judged[name], arguments=text)
        channel.closed = True
        channel.base, channel.buffer, channel.decided = channel.length, "", channel.length

    def _released(self) -> bytes:
        out = self._release()
        return out + self._reader.cut(REFUSAL) if self.blocked else out

    def _release(self) -> bytes:
        out = b""
        while self._queue and self._is_free(held := self._queue[0]):
            while held.later and not self.blocked:
                self._whole(held.later.pop(0), held)
            if self.blocked and (held.guilty or held.read.end or held.read.closes):
                break
            self._queue.popleft()
            out += self._bytes_of(held)
            self._reader.passed(held.read)
        return out

    def _is_free(self, held: _Held) -> bool:
        """Return whether all that the event holds is decided."""
        for piece, _, end in held.places:
            channel = self._channels[piece.channel]
            if piece.kind == "arguments":
                if self.blocked or not channel.closed:
                    return False
            elif end > channel.decided:
                return False
        return True

    def _bytes_of(self, held: _Held) -> bytes:
        for piece, start, end in held.places:
            self.delivered_chars += end - start
            edits = self._channels[piece.channel].edits
            if edits and (edits := [edit for edit in edits if edit.start < end and edit.end > start]):
                piece.holder[piece.key] = edited(piece.text, start, edits)
                held.dirty = True
            if self.heard is not None and piece.spoken:
                self.heard.take(piece.channel, piece.text)
        read = held.read
        self._reader.amend(read)
        out = b"".join(written(name, dump(document)) for name, document in read.before)
        if read.hidden:
            return out
        if not held.dirty and not read.dirty:
            return out + held.event.raw
        without_logprobs(read.document)
        return out + written(held.event.name, dump(read.document))


def examine(active: Sequence[Active], text: str, *, final: bool) -> tuple[list[tuple[Hit, str]], int]:
    """Return all hits in order, with what happens to each, and the point behind which nothing is decided yet."""
    hits: list[tuple[Hit, str]] = []
    hold = len(text)
    for entry in active:
        look = entry.control.look(text, final=final)
        hits += [(hit, entry.action) for hit in look.hits]
        hold = min(hold, look.hold)
    if not hits:
        return hits, hold
    while not final and (open_ := [hit.start for hit, _ in hits if hit.start < hold < hit.end]):
        hold = min(open_)  # a hit that reaches into what is undecided is itself undecided
    hits.sort(key=lambda pair: (pair[0].start, pair[0].end))
    return hits, hold


def redact(active: Sequence[Active], text: str) -> tuple[str, list[tuple[Hit, str]]]:
    """Return a complete text without its redacted spans, and every hit with what happens to it."""
    hits, _ = examine(active, text, final=True)
    edits = [Edit(hit.start, hit.end) for hit, action in hits if action == "redact"]
    return (edited(text, 0, edits) if edits else text), hits


def redact_arguments(active: Sequence[Active], text: str) -> tuple[str, list[tuple[Hit, str]]]:
    """Do the same for the JSON of a tool call. What only shows once escapes are read cannot be cut out: it blocks."""
    cleaned, hits = redact(active, text)
    try:
        document = json.loads(cleaned)
    except (ValueError, RecursionError):
        return cleaned, hits
    for value in _leaves(document):
        hits += [(hit, "block" if action == "redact" else action) for hit, action in redact(active, value)[1]]
    return cleaned, hits


def same_json(one: str, other: str) -> bool:
    """Return whether two texts are the same, or the same JSON value."""
    try:
        return one == other or _canonical(one) == _canonical(other)
    except (ValueError, RecursionError):
        return False


def _canonical(text: str) -> str:
    return json.dumps(json.loads(text), sort_keys=True)


def _leaves(node: Any) -> list[str]:
    if isinstance(node, str):
        return [node]
    if isinstance(node, dict):
        return [*map(str, node), *(leaf for value in node.values() for leaf in _leaves(value))]
    return [leaf for value in node for leaf in _leaves(value)] if isinstance(node, list) else []

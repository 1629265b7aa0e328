"""Doubles that keep the real interfaces: an upstream that answers from a script, a log in memory, a screen of words."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bartizan.core.errors import UpstreamFailed
from bartizan.core.findings import Finding, Severity
from bartizan.core.messages import Prompt
from bartizan.core.verdicts import Allow, Block, Verdict
from bartizan.detect.turns.course import Course
from bartizan.gateway.upstream import Headers


@dataclass
class ScriptedAnswer:
    """An answer made of `pieces`; an exception among them is raised in its turn."""

    pieces: list[bytes | Exception]
    status: int = 200
    headers: Headers = field(default_factory=lambda: [(b"content-type", b"application/json")])
    released: bool = False
    source: str = "stub"

    async def read(self) -> bytes:
        """Return the next piece, nothing at the end."""
        await asyncio.sleep(0)
        if not self.pieces:
            return b""
        piece = self.pieces.pop(0)
        if isinstance(piece, Exception):
            raise piece
        return piece

    def release(self) -> None:
        """Note that the answer was given back."""
        self.released = True


@dataclass
class StubUpstream:
    """An upstream that keeps what it was sent and answers with `pieces` of body, or fails."""

    pieces: Sequence[bytes | Exception] = (b"{}",)
    status: int = 200
    content_type: bytes = b"application/json"
    fails: str = ""
    name: str = "stub"
    sent: list[tuple[str, str, Headers, bytes]] = field(default_factory=list)
    answers: list[ScriptedAnswer] = field(default_factory=list)

    async def send(self, method: str, target: str, headers: Headers, body: bytes, model: str = "") -> ScriptedAnswer:
        """Keep the request and return the scripted answer."""
        self.sent.append((method, target, headers, body))
        if self.fails:
            raise UpstreamFailed(self.fails)
        answer = ScriptedAnswer(list(self.pieces), self.status, [(b"content-type", self.content_type)])
        self.answers.append(answer)
        return answer

    async def close(self) -> None:
        """Nothing to close."""


@dataclass(frozen=True)
class MemoryReceipt:
    """Where a record stands in a MemoryLog."""

    seq: int
    leaf_hash: bytes


@dataclass
class MemoryLog:
    """A log that keeps its records in a list; `fails` makes every write fail."""

    records: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    checkpoints: int = 0
    closed: bool = False
    fails: bool = False

    def append_many(self, records: list[tuple[str, Mapping[str, Any]]], /) -> list[MemoryReceipt]:
        """Keep the records, or fail."""
        if self.fails:
            raise OSError("disk full")
        first = len(self.records)
        self.records += records
        self.batches.append(len(records))
        return [MemoryReceipt(first + i, hashlib.sha256(b"%d" % (first + i)).digest()) for i in range(len(records))]

    def checkpoint(self) -> int:
        """Count the checkpoints."""
        self.checkpoints += 1
        return self.checkpoints

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True


@dataclass(frozen=True)
class WordScreened:
    """What a WordScreen says."""

    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    course: Course | None = None


@dataclass
class WordScreen:
    """A screen that blocks a prompt in which a text holds `word`, and crashes on the text `crash`."""

    word: str = "forbidden"
    crash: str = "\N{SKULL}"

    def glance(self, prompt: Prompt) -> WordScreened:
        """Say the same: it takes no time."""
        return self.screen(prompt)

    def screen(self, prompt: Prompt) -> WordScreened:
        """Block when the word is there."""
        for message in prompt.messages:
            for text in message.texts():
                if self.crash in text.content:
                    raise RuntimeError("this screen is broken")
                if self.word in text.content:
                    finding = Finding("word", Severity.HIGH, "the forbidden word", text.origin)
                    return WordScreened(Block("the forbidden word"), (finding,))
        return WordScreened(Allow())

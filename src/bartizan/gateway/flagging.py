"""Keeps the texts that the input screen flagged, where the operator asked for it, for people to label later.

It stands around the screen and changes nothing of what it says. Credentials and checkable personal data are taken out
before a text is cut or kept. A thread does all of that; a request never waits for it, and when the thread falls behind
texts are dropped and counted, not queued without end.
"""

import asyncio
import logging
import queue
import threading
from collections.abc import Iterator, Sequence
from typing import Protocol

from bartizan.core.clock import Clock
from bartizan.core.errors import BartizanError
from bartizan.core.findings import Finding
from bartizan.core.messages import Prompt, Text
from bartizan.core.sections.flagged import Flagged
from bartizan.core.verdicts import Allow, verdict_name
from bartizan.gateway.output.personal import KINDS, PersonalData
from bartizan.gateway.output.secrets import Secrets
from bartizan.gateway.screening import Judged
from bartizan.ledger.flagged import FlaggedTexts, Seen

MOST_WAITING = 64
_FAILED = frozenset(("control-timeout", "control-failed"))
_log = logging.getLogger("bartizan.gateway")


class Judging(Protocol):
    """The guarded input screen."""

    async def judge(self, prompt: Prompt) -> Judged:
        """Return what it says about the prompt. Never raises."""
        ...


class Keeping(Protocol):
    """Where flagged texts go."""

    def add(self, found: Sequence[Seen], /) -> None:
        """Keep them. Raises BartizanError."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


class FlaggingScreen:
    """The screen, with a copy of what it flags handed to `kept`."""

    def __init__(self, screen: Judging, kept: Keeping, longest: int) -> None:
        """Stand around `screen`; a text longer than `longest` characters is cut around its finding."""
        self._screen, self._kept, self._longest = screen, kept, longest
        self._waiting: queue.Queue[tuple[Prompt, Judged] | None] = queue.Queue(MOST_WAITING)
        self._thread: threading.Thread | None = None
        self.dropped = 0
        """Requests whose texts were not kept because the writer was behind."""

    async def judge(self, prompt: Prompt) -> Judged:
        """Return what the screen says. Never raises."""
        judged = await self._screen.judge(prompt)
        if not isinstance(judged.verdict, Allow):
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="flagged-writer", daemon=True)
                self._thread.start()
            try:
                self._waiting.put_nowait((prompt, judged))
            except queue.Full:
                self.dropped += 1
        return judged

    async def close(self) -> None:
        """Write what waits, and close the store."""
        if self._thread is not None:
            await asyncio.to_thread(self._waiting.put, None)
            await asyncio.to_thread(self._thread.join)
        self._kept.close()
        if self.dropped:
            _log.warning("flagged texts of %d requests were not kept: the writer was behind", self.dropped)

    def _write(self) -> None:
        while (asked := self._waiting.get()) is not None:
            try:
                if found := list(flagged(*asked, self._longest)):
                    self._kept.add(found)
            except BartizanError as error:
                _log.error("%s", error)
            except Exception as error:  # noqa: BLE001 - one odd text must not end the thread
                _log.error("a flagged text was not kept: %s", type(error).__name__)


def flagging(section: Flagged, screen: Judging, clock: Clock) -> Judging:
    """Return `screen`, within one that keeps what it flags if `section` names a file. Raises UpstreamFailed."""
    return FlaggingScreen(screen, FlaggedTexts(section, clock), section.longest) if section.file else screen


async def finished(screen: Judging) -> None:
    """Let `screen` write what it still has to."""
    if isinstance(screen, FlaggingScreen):
        await screen.close()


def flagged(prompt: Prompt, judged: Judged, longest: int) -> Iterator[Seen]:
    """Yield the texts of `prompt` that findings of the screen point at, once each, without credentials."""
    texts: dict[str, list[Text]] = {}
    for message in prompt.messages:
        for text in message.texts():
            texts.setdefault(text.origin, []).append(text)
    pointed: dict[str, list[Finding]] = {}
    for finding in judged.findings:
        if finding.rule not in _FAILED:
            pointed.setdefault(finding.where, []).append(finding)
    for where, findings in pointed.items():
        rules = " ".join(dict.fromkeys(finding.rule for finding in findings))
        scores = [finding.score for finding in findings if finding.score is not None]
        spans = [finding.span for finding in findings if finding.span is not None]
        for text in texts.get(where, ()):
            clean, at = without_secrets(text.content, spans[0].start if spans else 0)
            start = max(0, min(at - longest // 2, len(clean) - longest))
            trust, said = text.trust.name.lower(), verdict_name(judged.verdict)
            yield Seen(clean[start : start + longest], trust, rules, max(scores, default=None), said)


def without_secrets(text: str, at: int = 0) -> tuple[str, int]:
    """Return `text` with credentials and checkable personal data named, not shown, and where the place `at` is then."""
    hits = [*Secrets().look(text, final=True).hits, *PersonalData(KINDS).look(text, final=True).hits]
    out: list[str] = []
    position, size, moved = 0, 0, at
    for hit in sorted(hits, key=lambda one: (one.start, -one.end)):
        if hit.end <= position:
            continue
        pieces = (text[position : max(position, hit.start)], f"[{hit.rule}]")
        out += pieces
        size += sum(map(len, pieces))
        position = hit.end
        if position <= at:
            moved = size + at - position
    return "".join((*out, text[position:])), moved

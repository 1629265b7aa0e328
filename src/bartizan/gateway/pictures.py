"""What pictures in a request say, put before the input screen as text. What cannot be read is a finding, and blocks.

The words of a picture are judged twice: as words of whoever sent it, and as a document, for a user may hand on what
somebody else drew. Reading waits for its turn and no longer than asked; what a picture said is remembered by its
digest. Pictures by address or file id are never fetched. Operator and developer are not screened, neither in pictures.
"""

import asyncio
import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Protocol
from urllib.parse import unquote_to_bytes

from bartizan.core.findings import Finding, Severity
from bartizan.core.messages import Message, Picture, Prompt, Text, Trust
from bartizan.core.sections.pictures import Pictures
from bartizan.core.verdicts import Allow, Block
from bartizan.detect.pictures.answers import Answer, Limits, Read, Unread
from bartizan.detect.pictures.layout import Reading
from bartizan.gateway.flagging import Judging
from bartizan.gateway.screening import Judged, Mode

_DOCUMENT = "#document"


class Reads(Protocol):
    """What reads pictures."""

    def known(self, data: bytes) -> Answer | None:
        """Return what is remembered of a picture."""
        ...

    def read(self, data: bytes) -> Answer:
        """Return what a picture says, or why that could not be read. Blocks; thread-safe."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class Modes(Protocol):
    """Who knows what the input screen does for a model."""

    def mode_for(self, model: str) -> Mode:
        """Return enforce, monitor or off."""
        ...


class SeeingScreen:
    """A guarded screen that is shown the words of pictures too."""

    def __init__(self, screen: Judging, modes: Modes, reader: Reads, section: Pictures) -> None:
        """Stand around `screen`; `modes` says for which models it looks at all."""
        self._screen, self._modes, self._reader, self._section = screen, modes, reader, section
        self._turns = ThreadPoolExecutor(1, "pictures")

    async def judge(self, prompt: Prompt) -> Judged:
        """Return what the screen says about the prompt with its pictures. Never raises."""
        pictures = [one for message in prompt.messages for one in message.pictures if one.trust < Trust.DEVELOPER]
        mode = self._modes.mode_for(prompt.model)
        if not pictures or mode == "off":
            return await self._screen.judge(prompt)
        seen, found, closed = await self._seen(pictures)
        judged = await self._screen.judge(_with_words(prompt, seen))
        findings = (*found, *_placed(judged.findings, seen))
        if not closed or not isinstance(judged.verdict, Allow):
            return judged._replace(findings=findings)
        verdict = Block(closed)
        enforced = verdict if mode == "enforce" else Allow(closed)
        return judged._replace(verdict=verdict, findings=findings, enforced=enforced)

    async def _seen(self, pictures: list[Picture]) -> tuple[dict[str, Reading], list[Finding], str]:
        """Return what the pictures say by their origins, what else there is to say of them, and why to refuse them."""
        seen: dict[str, Reading] = {}
        found: list[Finding] = []
        closed = ""
        until = asyncio.get_running_loop().time() + self._section.wait_s
        sent = 0
        for one in pictures:
            if one.elsewhere:
                why = "a picture that only the provider sees"
                found.append(Finding("picture-elsewhere", Severity.LOW, why, one.origin))
                closed = closed or (why if self._section.elsewhere == "refuse" else "")
                continue
            sent += 1
            answer = await self._answer(one.source, until) if sent <= self._section.most else self._too_many()
            if isinstance(answer, Read):
                seen[one.origin] = answer.reading
                if answer.reading.unread:
                    why = f"{answer.reading.unread} lines of a picture look like text and could not be read"
                    found.append(Finding("picture-partly-read", Severity.LOW, why, one.origin))
            else:
                why = f"a picture was not read: {answer.why}"
                found.append(Finding("picture-unread", Severity.HIGH, why, one.origin))
                closed = closed or (why if self._section.unread == "block" else "")
        return seen, found, closed

    def _too_many(self) -> Unread:
        return Unread(f"the request has more than {self._section.most}", "unfit")

    async def _answer(self, source: str, until: float) -> Answer:
        try:
            data = decoded_source(source, self._section.picture_bytes)
            if (known := self._reader.known(data)) is not None:
                return known
            loop = asyncio.get_running_loop()
            left = max(0.0, until - loop.time())
            return await asyncio.wait_for(loop.run_in_executor(self._turns, self._reader.read, data), left)
        except TimeoutError:
            return Unread(f"its turn did not come within {self._section.wait_s:g} s", "late")
        except ValueError as error:
            return Unread(str(error), "unfit")
        except Exception as error:  # noqa: BLE001 - a control may fail in any way; none may open the gate
            return Unread(f"the reader crashed with {type(error).__name__}")

    async def close(self) -> None:
        """End the reader once it has done what it is at."""
        await asyncio.to_thread(self._turns.shutdown, cancel_futures=True)
        self._reader.close()


def limits_of(section: Pictures) -> Limits:
    """Return what the settings let a picture take."""
    return Limits(section.picture_bytes, section.pixels, section.seconds, section.memory_bytes)


def decoded_source(source: str, most_bytes: int) -> bytes:
    """Return the bytes of base64 or of a data URL. Raises ValueError for what is neither, or larger than asked."""
    source = source.strip()
    head, _, body = source.partition(",") if source[:5].lower() == "data:" else (";base64", "", source)
    plain = not head.lower().rstrip().endswith(";base64")
    if len(body) > most_bytes * (3 if plain else 1.5) + 64:
        raise ValueError(f"{len(body)} characters: expected a picture of at most {most_bytes} bytes")
    if plain:
        return unquote_to_bytes(body)
    clean = "".join(body.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(clean + "=" * (-len(clean) % 4), validate=True)
    except ValueError as error:
        raise ValueError(f"not base64: {error}") from error


def _with_words(prompt: Prompt, seen: dict[str, Reading]) -> Prompt:
    """Return the prompt with the words of each picture behind the parts of its message."""
    messages: list[Message] = []
    for message in prompt.messages:
        words = [text for one in message.pictures if one.origin in seen for text in _texts(one, seen[one.origin])]
        messages.append(replace(message, parts=(*message.parts, *words)) if words else message)
    return replace(prompt, messages=tuple(messages))


def _texts(picture: Picture, reading: Reading) -> Iterator[Text]:
    if words := reading.text:
        yield Text(words, picture.trust, picture.origin)
        if picture.trust > Trust.WEB:
            yield Text(words, Trust.WEB, picture.origin + _DOCUMENT)


def _placed(findings: tuple[Finding, ...], seen: dict[str, Reading]) -> Iterator[Finding]:
    """Yield the findings; those in words of a picture once, with the place in the picture. Records hold no words."""
    told: set[tuple[str, object, str]] = set()
    for one in findings:
        where = one.where.removesuffix(_DOCUMENT)
        reading = seen.get(where)
        if reading is None:
            yield one
            continue
        if (one.rule, one.span, where) in told:
            continue
        told.add((one.rule, one.span, where))
        start, end = (one.span.start, one.span.end) if one.span else (0, len(reading.text))
        yield replace(one, where=where, why=f"{one.why}; in the picture at {reading.box(start, end)}")

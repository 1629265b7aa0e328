"""Conversations as they really were: which answers in a request this gateway gave, and turns that the provider keeps.

A chat client sends the whole history each time and can make turns up; an answer is known again by its hash, per caller.
The Responses API sends only what is new and names the answer before; the texts of such conversations are kept for a
while, so that the screen, the policy and the output controls see what the model sees. All of it is in memory, bounded,
and gone with the process: then nobody knows whose an answer was, and nothing follows from that.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from bartizan.core.clock import Clock
from bartizan.core.messages import Message, Part, Prompt, Role, Text, ToolResult, Trust
from bartizan.gateway.hearing import Hearing, digest
from bartizan.gateway.wires.base import REFUSAL, Asked

CALLERS, ANSWERS = 2_000, 2_000
"""Callers that are remembered, and the latest answers of each."""
CHARACTERS, LONGEST = 32_000_000, 400_000
"""Of all conversations that are kept, and of one; a longer one keeps its last turns."""
_OURS = digest(REFUSAL)
_NOT_CARRIED = "/instructions"
"""The Responses API does not take the instructions of an earlier request over."""


@dataclass(slots=True)
class _Kept:
    messages: tuple[Message, ...]
    characters: int
    until_ns: int


@dataclass(slots=True)
class _Answers:
    """Hashes of the answers of one caller, the oldest first, with the time until which they are known."""

    until_ns: OrderedDict[bytes, int] = field(default_factory=OrderedDict)


class Conversations:
    """Remembers for `remembered_s` seconds. Used on the event loop only."""

    def __init__(self, remembered_s: int, clock: Clock) -> None:
        """Remember nothing yet; 0 seconds: never anything."""
        self._ns = remembered_s * 10**9
        self._clock = clock
        self._answers: OrderedDict[str, _Answers] = OrderedDict()
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._characters = 0

    def recalled(self, asked: Asked, caller: str) -> Asked:
        """Return what is asked with the turns before that the provider keeps, and with each answer marked: ours?"""
        if not self._ns:
            return asked
        prompt = asked.prompt
        known = self._answers.get(caller)
        if known is not None and any(one.role is Role.ASSISTANT for one in prompt.messages):
            now = self._clock.monotonic_ns()
            marked = tuple([self._marked(one, known, now) for one in prompt.messages])
            prompt = replace(prompt, messages=marked)
        kept = self._found((caller, asked.earlier)) if asked.earlier else None
        if kept is not None:
            prompt = replace(prompt, messages=(*kept.messages, *prompt.messages))
        return asked if prompt is asked.prompt else replace(asked, prompt=prompt)

    def hearing(self) -> Hearing | None:
        """Return what is to hear an answer, or None when nothing is remembered."""
        return Hearing() if self._ns else None

    def heard(self, asked: Asked, caller: str, told: Hearing) -> None:
        """Remember an answer that has left."""
        until = self._clock.monotonic_ns() + self._ns
        if digests := told.digests():
            known = self._answers.setdefault(caller, _Answers())
            self._answers.move_to_end(caller)
            for one in digests:
                known.until_ns[one] = until
                known.until_ns.move_to_end(one)
            while len(known.until_ns) > ANSWERS:
                known.until_ns.popitem(last=False)
            if len(self._answers) > CALLERS:
                self._answers.popitem(last=False)
        if told.id:
            messages = _kept_of(asked.prompt, told)
            for name in {told.id, asked.earlier if asked.earlier_grows else told.id}:
                self._keep((caller, name), messages, until)

    def _marked(self, message: Message, known: _Answers, now_ns: int) -> Message:
        if message.role is not Role.ASSISTANT:
            return message
        texts = [text.content for text in message.texts() if text.content.strip()]
        if not texts:
            return message
        ours = all(one == _OURS or known.until_ns.get(one, 0) > now_ns for one in map(digest, texts))
        return replace(message, ours=ours)

    def _found(self, key: tuple[str, str]) -> _Kept | None:
        kept = self._kept.get(key)
        return kept if kept is not None and kept.until_ns > self._clock.monotonic_ns() else None

    def _keep(self, key: tuple[str, str], messages: tuple[Message, ...], until_ns: int) -> None:
        before = self._kept.pop(key, None)
        size = sum(map(_size, messages))
        self._kept[key] = _Kept(messages, size, until_ns)
        self._characters += size - (before.characters if before is not None else 0)
        now = self._clock.monotonic_ns()
        while self._kept and (self._characters > CHARACTERS or next(iter(self._kept.values())).until_ns <= now):
            self._characters -= self._kept.popitem(last=False)[1].characters


def _kept_of(prompt: Prompt, told: Hearing) -> tuple[Message, ...]:
    """Return the turns of a request and its answer, the last `LONGEST` characters of them."""
    parts: list[Part] = [Text(text, Trust.TOOL, "earlier answer") for text in told.texts()]
    parts += told.calls.values()
    answer = Message(Role.ASSISTANT, tuple(parts), ours=True)
    messages = [_earlier(one) for one in prompt.messages if _carried(one)]
    found: list[Message] = []
    room = LONGEST
    for one in reversed([*messages, answer]):
        room -= _size(one)
        if room < 0:
            break
        found.append(one)
    return tuple(reversed(found))


def _carried(message: Message) -> bool:
    return all(text.origin != _NOT_CARRIED for text in message.texts())


def _earlier(message: Message) -> Message:
    """Return a message whose texts say that they come from before; its pictures, read and judged, are not kept."""
    return replace(message, parts=tuple(_moved(message.parts)), pictures=())


def _moved(parts: Iterable[Part]) -> Iterator[Part]:
    for part in parts:
        if isinstance(part, Text) and not part.origin.startswith("earlier"):
            yield replace(part, origin=f"earlier {part.origin}")
        elif isinstance(part, ToolResult) and not part.text.origin.startswith("earlier"):
            yield replace(part, text=replace(part.text, origin=f"earlier {part.text.origin}"))
        else:
            yield part


def _size(message: Message) -> int:
    return 200 + sum(len(text.content) for text in message.texts())

"""What a dialect must be able to do: read a copy of a request, and say no in its own words.

A wire never changes allowed traffic: what it parses is a copy, and what is forwarded is the bytes that came.
"""

import itertools
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import msgspec

from bartizan.core.errors import BadRequest
from bartizan.core.messages import Prompt, Text, ToolCall, Trust, Usage
from bartizan.gateway.rulings import Rulings
from bartizan.gateway.sse import Event

REFUSAL = "I'm sorry, but I can't help with that."
"""What a blocked client reads. Worded so that people, SDKs and outside red-team tools recognise a refusal."""

Headers = list[tuple[bytes, bytes]]

_PROCESS = secrets.token_hex(8)
_NUMBERS = itertools.count(secrets.randbits(40))


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as understood: the prompt in our words, and the dialect's own document for what only it knows."""

    prompt: Prompt
    document: dict[str, Any] = field(default_factory=dict)
    usage_hidden: bool = False
    """The stream's event that holds only the usage was asked for by us, not by the client."""
    earlier: str = ""
    """The provider's name of the answer, or the conversation, that the request goes on from."""
    earlier_grows: bool = False
    """That name stands for a conversation: for what is said now, too, the next time."""
    counted: int | None = None
    """How much input it is, where the dialect can count that itself: examples for a predictive model."""


@dataclass(frozen=True, slots=True)
class Said:
    """A complete answer of ours: status, content type and body."""

    status: int
    content_type: bytes
    body: bytes


_WORDS = frozenset(("content", "text"))
_SPOKEN = frozenset(("text", "text_delta", "output_text"))


@dataclass(slots=True)
class Piece:
    """A text inside an answer: `holder[key]`, the next part of the text that `channel` names.

    Kinds: `text` grows with later pieces of its channel; `sealed` does too but cannot be rewritten (it is signed);
    `arguments` is the JSON of a tool call, judged once complete; `whole` is complete by itself.
    """

    channel: str
    holder: Any
    key: Any
    kind: Literal["text", "sealed", "arguments", "whole"] = "whole"
    foreign: bool = False
    """A tool on the provider's side wrote it, not the model."""

    @property
    def text(self) -> str:
        """Return the text as it stands."""
        value = self.holder[self.key] if isinstance(self.holder, list) else self.holder.get(self.key)
        return value if isinstance(value, str) else ""

    @property
    def spoken(self) -> bool:
        """Return whether these are words of the model to the user: no thought, no call, nothing a tool found."""
        if self.foreign or self.kind in ("arguments", "sealed") or not isinstance(self.holder, dict):
            return False
        kind = self.holder.get("type", "text")
        return (self.key in _WORDS and kind in _SPOKEN) or (
            self.key == "delta" and kind == "response.output_text.delta"
        )


@dataclass(slots=True)
class Read:
    """What one event, or one whole answer, holds."""

    document: Any = None
    pieces: list[Piece] = field(default_factory=list)
    closes: tuple[str, ...] = ()
    """Beginnings of the names of the channels that end here."""
    end: bool = False
    last: bool = False
    """Nothing of the answer follows."""
    calls: list[tuple[str, str]] = field(default_factory=list)
    """Calls that stand complete in the document: the reader's name for each, and its arguments."""
    usage: Usage | None = None
    finish: str = ""
    answer_id: str = ""
    """The provider's name of the answer, by which a later request can go on from it; known at its end."""
    hidden: bool = False
    """It is read and not handed on: the client did not ask for it, or a ruling took its place."""
    dirty: bool = False
    """The document is no longer what came."""
    before: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Events of ours, by type, that stand before this one."""


class Reader(Protocol):
    """Understands one answer as it comes. Made anew for each request."""

    def event(self, event: Event) -> Read:
        """Return what one event of a stream holds. Never raises: what is not understood is one whole piece."""
        ...

    def whole(self, body: bytes) -> Read:
        """Return what a complete answer holds. Raises ValueError when it is not JSON."""
        ...

    rulings: Rulings
    """What was ruled about the calls of this answer; `amend` carries it out."""

    def call(self, channel: str, arguments: str) -> ToolCall:
        """Return the call whose complete arguments `channel` has carried."""
        ...

    def replaceable(self, key: str) -> bool:
        """Return whether the client is what would carry out this call: then a text can take its place."""
        ...

    def amend(self, read: Read) -> None:
        """Carry out the rulings on an event, or a whole answer, that is about to leave: change its document."""
        ...

    def passed(self, read: Read) -> None:
        """Note that the client now has this event."""
        ...

    def cut(self, text: str) -> bytes:
        """Return the events that end, with `text`, the stream the client has seen so far, as one that was filtered."""
        ...


class Dialect(Protocol):
    """What limits need of a dialect. `generates` says whether a model writes the answer."""

    name: str
    generates: bool
    billed: bool
    """Whether providers charge for it."""
    usage_on_request: bool
    """Whether a stream says its usage only when `stream_options.include_usage` asks for it."""
    cap_keys: tuple[str, ...]
    """Keys of the request that limit the answer's tokens; the first is written when none is there."""

    def error(self, status: int, code: str, message: str) -> Said:
        """Return an error in the dialect's own form. `code` is a stable word such as `invalid_api_key`."""
        ...


class Wire(Dialect, Protocol):
    """One dialect of language models. `paths` are the POST routes it takes."""

    paths: tuple[str, ...]

    def parse(self, body: bytes) -> Asked:
        """Return what the body asks. Raises BadRequest when it cannot be understood without doubt."""
        ...

    def reader(self, asked: Asked) -> Reader:
        """Return a reader for the answer."""
        ...

    def refuse(self, asked: Asked, text: str) -> Said:
        """Return a refusal in the dialect's own successful form, as a stream when a stream was asked for."""
        ...


def new_id(prefix: str) -> str:
    """Return an id that no other request of any gateway has: random per process, counted within it."""
    return f"{prefix}{_PROCESS}{next(_NUMBERS):016x}"


def dump(document: Any) -> bytes:
    """Return `document` as compact UTF-8 JSON."""
    try:
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # half a surrogate pair can only be written as an escape
        return json.dumps(document, separators=(",", ":")).encode()


def decode(data: bytes) -> Any:
    """Return the JSON value of an upstream's answer. Raises ValueError. Half surrogate pairs are kept."""
    try:
        return _decode(data)
    except ValueError:
        return json.loads(data)


_decode = msgspec.json.Decoder().decode

_JSON_NAMES: dict[type, str] = {
    list: "an array",
    dict: "an object",
    str: "a string",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "nothing",
}


def expect(value: Any, kind: type, where: str) -> Any:
    """Return `value` if it is a `kind`. Raises BadRequest that names the place, what was expected and what was got."""
    if isinstance(value, kind):
        return value
    raise BadRequest(f"{where}: expected {_JSON_NAMES[kind]}, got {_JSON_NAMES.get(type(value), 'something else')}")


_NAMES_AND_NUMBERS = """id object type role model status index created created_at system_fingerprint service_tier
    finish_reason stop_reason call_id item_id tool_call_id response_id encrypted_content signature
    obfuscation name namespace phase data bytes token media_type request_id container
    previous_response_id url safety_identifier prompt_cache_key"""
_NO_TEXT = frozenset(_NAMES_AND_NUMBERS.split())
_ARGUMENTS = frozenset(("arguments", "partial_json"))


_FOREIGN_TYPES = frozenset(("web_search_tool_result", "web_fetch_tool_result", "mcp_tool_result", "file_search_call"))


_LISTED = (dict, list)
_COUNTED = frozenset(("logprobs", "usage", "metadata", "tools"))


def is_foreign(node: Any, key: Any) -> bool:
    """Return whether `node[key]` is what a tool on the provider's side found. What code of the model printed is not."""
    if not isinstance(node, dict):
        return False
    kind = str(node.get("type"))
    return kind in _FOREIGN_TYPES or key == "cited_text" or (kind == "mcp_call" and key == "output")


def strings(node: Any, where: str = "", *, joined: frozenset[str] = frozenset()) -> list[Piece]:
    """Return every text of an answer, except under keys that name, count or seal. Keys in `joined` share a channel."""
    found: list[Piece] = []
    _gather(node, where, joined, found, foreign=False)
    return found


def _gather(node: Any, where: str, joined: frozenset[str], found: list[Piece], *, foreign: bool) -> None:
    pairs: Iterable[tuple[Any, Any]] = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in pairs:
        if isinstance(value, str):
            if key in _NO_TEXT:
                continue
            others = foreign or is_foreign(node, key)
            if key in joined and not others:
                found.append(Piece(str(key), node, key, "text"))
            else:
                found.append(Piece(f"{where}/{key}", node, key, "arguments" if key in _ARGUMENTS else "whole", others))
        elif isinstance(value, _LISTED) and value and key not in _COUNTED:
            _gather(value, f"{where}/{key}", joined, found, foreign=foreign or is_foreign(node, key))


_NOT_READ = frozenset(
    (
        "type",
        "id",
        "role",
        "status",
        "image_url",
        "file_data",
        "file_id",
        "media_type",
        "encrypted_content",
        "signature",
    )
)


def dicts(value: Any) -> list[dict[str, Any]]:
    """Return the objects in `value`, if it is an array: an answer may hold anything under any key."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def one(value: Any) -> dict[str, Any]:
    """Return `value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def count(counts: dict[str, Any], key: str) -> int:
    """Return a count in an answer; 0 unless it is a number that can count something."""
    value = counts.get(key)
    return value if type(value) is int and value > 0 else 0


def texts_in(node: Any, trust: Trust, where: str) -> list[Text]:
    """Return every text inside a part of a request that we do not know better: nothing may pass unread."""
    if isinstance(node, str):
        return [Text(node, trust, where)]
    if not isinstance(node, dict | list):
        return []
    skip = _NOT_READ
    if isinstance(node, dict) and node.get("type") == "base64":
        skip = _NOT_READ | {"data"}
    pairs: Iterable[tuple[Any, Any]] = node.items() if isinstance(node, dict) else enumerate(node)
    return [text for key, value in pairs if key not in skip for text in texts_in(value, trust, f"{where}/{key}")]

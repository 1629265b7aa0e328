"""Anthropic Messages: `POST /v1/messages`, streamed and not, and `POST /v1/messages/count_tokens`."""

import json
from typing import Any

from bartizan.core.errors import BadRequest
from bartizan.core.messages import Message, Part, Prompt, Role, Text, ToolCall, ToolResult, ToolSpec, Trust, Usage
from bartizan.gateway.rulings import Rulings
from bartizan.gateway.sse import Event, written
from bartizan.gateway.wires import strict_json
from bartizan.gateway.wires.base import (
    Asked,
    Piece,
    Read,
    Said,
    count,
    decode,
    dicts,
    dump,
    expect,
    new_id,
    one,
    strings,
    texts_in,
)
from bartizan.gateway.wires.openai_answers import unread
from bartizan.gateway.wires.pictures import pictures_in

_TOP = frozenset(
    ("model", "messages", "system", "tools", "stream", "max_tokens", "tool_choice", "metadata", "thinking")
)
_MESSAGE = frozenset(("role", "content"))
_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM}
_JOINED = frozenset(("text",))
_DELTA = "content_block_delta"
_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
}


class AnthropicMessages:
    """The Messages dialect."""

    name = "anthropic-messages"
    paths: tuple[str, ...] = ("/v1/messages",)
    generates = True
    billed = True
    usage_on_request = False
    cap_keys: tuple[str, ...] = ("max_tokens",)

    def parse(self, body: bytes) -> Asked:
        """Return what the body asks. Raises BadRequest when it cannot be understood without doubt."""
        document = strict_json.loads(body)
        strict_json.refuse_lookalike_keys(document, _TOP, "request body")
        messages = []
        if document.get("system"):
            messages.append(Message(Role.SYSTEM, tuple(texts_in(document["system"], Trust.OPERATOR, "/system"))))
        given = expect(document.get("messages"), list, "messages")
        messages += [_message(message, f"/messages/{index}") for index, message in enumerate(given)]
        cap = document.get("max_tokens")
        prompt = Prompt(
            expect(document.get("model"), str, "model"),
            tuple(messages),
            tuple(_tools(document)),
            document.get("stream") is True,
            cap if isinstance(cap, int) and not isinstance(cap, bool) else None,
        )
        return Asked(prompt, document)

    def reader(self, asked: Asked) -> "MessagesReader":
        """Return a reader for the answer."""
        return MessagesReader(asked.prompt.model)

    def refuse(self, asked: Asked, text: str) -> Said:
        """Return the refusal as a message that stopped with `refusal`."""
        reader = self.reader(asked)
        if asked.prompt.stream:
            return Said(200, b"text/event-stream", reader.cut(text))
        content = [{"type": "text", "text": text}]
        message = {**reader.head, "content": content, "stop_reason": "refusal", "stop_sequence": None}
        return Said(200, b"application/json", dump({**message, "usage": {"input_tokens": 0, "output_tokens": 0}}))

    def error(self, status: int, code: str, message: str) -> Said:
        """Return `{"type": "error", ...}` as Anthropic's clients expect it."""
        kind = _ERRORS.get(status, "invalid_request_error" if status < 500 else "api_error")
        body = {"type": "error", "error": {"type": kind, "message": message, "code": code}, "request_id": None}
        return Said(status, b"application/json", dump(body))


class AnthropicCountTokens(AnthropicMessages):
    """Counting tokens: parsed and bounded like Messages; no model reads the prompt, so nothing is screened."""

    name = "anthropic-count-tokens"
    paths: tuple[str, ...] = ("/v1/messages/count_tokens",)
    generates = False
    billed = False
    cap_keys: tuple[str, ...] = ()


class MessagesReader:
    """Reads Messages, streamed and not. All text blocks are one text, so that a span cannot hide across two."""

    def __init__(self, model: str) -> None:
        """`model` stands in refusals until the upstream has said its own name."""
        self.head: dict[str, Any] = {"id": new_id("msg_"), "type": "message", "role": "assistant", "model": model}
        self.rulings = Rulings()
        self._calls: dict[str, tuple[str, str, str]] = {}
        self._told: set[str] = set()
        self._taken: dict[str, Any] = {}
        self._begun = False
        self._open: set[int] = set()
        self._blocks = 0

    def event(self, event: Event) -> Read:
        """Return what one event of a stream holds."""
        try:
            document = decode(event.data)
        except ValueError:
            return Read() if not event.data else unread(event)
        if not isinstance(document, dict):
            return unread(event)
        kind, index = document.get("type"), document.get("index")
        read = Read(document)
        if kind == "content_block_delta" and isinstance(delta := document.get("delta"), dict):
            read.pieces = _delta(delta, index)
        elif kind == "content_block_start" and isinstance(block := document.get("content_block"), dict):
            if str(block.get("type")).endswith("tool_use"):
                self._began(f"tool/{index}", block)
            read.pieces = _started(block, index)
        elif kind == "content_block_stop":
            read.closes = (f"tool/{index}",)
        elif kind == "message_start" and isinstance(message := document.get("message"), dict):
            self._taken = one(message.get("usage"))
            content = message.get("content")
            read.pieces = list(strings(content)) if isinstance(content, list) else []
            self._early(content, read)
        elif kind == "message_delta":
            read.end = True
            read.usage = _usage({**self._taken, **_counts(document.get("usage"))})
            read.finish = str(one(document.get("delta")).get("stop_reason") or "")
        elif kind == "message_stop":
            read.end = read.last = True
        elif kind != "ping":
            read.pieces = list(strings(document))
        return read

    def whole(self, body: bytes) -> Read:
        """Return what a complete answer holds."""
        document = decode(body)
        if not isinstance(document, dict):
            raise ValueError("not a JSON object")
        pieces = list(strings(document, joined=_JOINED))
        calls = []
        content = document.get("content")
        for number, block in enumerate(content if isinstance(content, list) else ()):
            if not isinstance(block, dict):
                continue
            if block.get("type") == "thinking":
                for piece in pieces:
                    piece.kind = "sealed" if piece.holder is block else piece.kind
            if str(block.get("type")).endswith("tool_use"):
                self._began(f"tool/{number}", block)
                calls.append((f"tool/{number}", json.dumps(block.get("input"), ensure_ascii=False)))
        usage = document.get("usage")
        counted = _usage(usage) if isinstance(usage, dict) else None
        finish = str(document.get("stop_reason") or "")
        return Read(document, pieces, end=True, calls=calls, usage=counted, finish=finish)

    def _early(self, content: Any, read: Read) -> None:
        """Judge calls that stand in the message's start, where no server puts any: they cannot be replaced."""
        for number, block in enumerate(dicts(content)):
            if str(block.get("type")).endswith("tool_use"):
                self._began(f"start/{number}", {**block, "type": "early_tool_use"})
                read.calls.append((f"start/{number}", json.dumps(block.get("input"), ensure_ascii=False)))

    def _began(self, channel: str, block: dict[str, Any]) -> None:
        self._calls[channel] = (str(block.get("id")), str(block.get("name")), str(block.get("type")))

    def call(self, channel: str, arguments: str) -> ToolCall:
        """Return the call whose complete arguments `channel` has carried."""
        called, name, _ = self._calls.get(channel, ("", "", ""))
        return ToolCall(called, name, arguments)

    def replaceable(self, key: str) -> bool:
        """Return whether it is the client's call: what the provider's own tools do has happened already."""
        return self._calls.get(key, ("", "", ""))[2] == "tool_use"

    def amend(self, read: Read) -> None:
        """Put a text in the place of each denied call, block for block, and new arguments where they are ruled."""
        document = read.document
        if not self.rulings or not isinstance(document, dict):
            return
        content = document.get("content")
        for number, block in enumerate(content if isinstance(content, list) else ()):
            if (key := f"tool/{number}") in self.rulings.denied:
                document["content"][number], read.dirty = {"type": "text", "text": self.rulings.denied[key]}, True
            elif key in self.rulings.rewritten and isinstance(block, dict):
                block["input"], read.dirty = json.loads(self.rulings.rewritten[key]), True
        key = f"tool/{document.get('index')}"
        if key in self.rulings.denied:
            self._replaced(key, read)
        elif key in self.rulings.rewritten:
            self._rewritten(key, read)
        holder = one(document.get("delta")) if document.get("type") == "message_delta" else document
        if holder.get("stop_reason") == "tool_use" and not self._left():
            holder["stop_reason"], read.dirty = "end_turn", True

    def _left(self) -> bool:
        """Return whether the message still asks the client for a call."""
        return any(kind == "tool_use" and key not in self.rulings.denied for key, (*_, kind) in self._calls.items())

    def _replaced(self, key: str, read: Read) -> None:
        """Make an event of a denied call one of a text block."""
        kind, index = read.document["type"], read.document["index"]
        if kind == "content_block_start":
            read.document["content_block"], read.dirty = {"type": "text", "text": ""}, True
        elif kind == "content_block_delta":
            read.hidden = True
        elif kind == "content_block_stop" and key not in self._told:
            delta = {"type": "text_delta", "text": self.rulings.denied[key]}
            read.before.append((_DELTA, {"type": _DELTA, "index": index, "delta": delta}))
            self._told.add(key)

    def _rewritten(self, key: str, read: Read) -> None:
        """Give all of the new arguments at the end of a call, and nothing before."""
        kind, index = read.document["type"], read.document["index"]
        if kind == "content_block_start":
            read.document["content_block"]["input"], read.dirty = {}, True
        elif kind == "content_block_delta":
            read.hidden = True
        elif kind == "content_block_stop" and key not in self._told:
            delta = {"type": "input_json_delta", "partial_json": self.rulings.rewritten[key]}
            read.before.append((_DELTA, {"type": _DELTA, "index": index, "delta": delta}))
            self._told.add(key)

    def passed(self, read: Read) -> None:
        """Remember the message's head and which blocks the client has open."""
        document = read.document if isinstance(read.document, dict) else {}
        kind, index = document.get("type"), document.get("index")
        if kind == "message_start" and isinstance(message := document.get("message"), dict):
            self._begun = True
            self.head = {key: message.get(key, value) for key, value in self.head.items()}
        elif kind == "content_block_start" and isinstance(index, int):
            self._open.add(index)
            self._blocks = max(self._blocks, index + 1)
        elif kind == "content_block_stop" and isinstance(index, int):
            self._open.discard(index)

    def cut(self, text: str) -> bytes:
        """Return the events that close what is open, say `text` and stop with `refusal`."""
        usage = {"input_tokens": count(self._taken, "input_tokens"), "output_tokens": 0}
        start = {**self.head, "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
        events: list[dict[str, Any]] = [] if self._begun else [{"type": "message_start", "message": start}]
        events += [{"type": "content_block_stop", "index": index} for index in sorted(self._open)]
        index = self._blocks
        events += [
            {"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}},
            {"type": "content_block_stop", "index": index},
            {
                "type": "message_delta",
                "delta": {"stop_reason": "refusal", "stop_sequence": None},
                "usage": {"output_tokens": 0},
            },
            {"type": "message_stop"},
        ]
        return b"".join(written(str(event["type"]), dump(event)) for event in events)


def _delta(delta: dict[str, Any], index: Any) -> list[Piece]:
    match delta.get("type"):
        case "text_delta":
            return [Piece("text", delta, "text", "text")]
        case "input_json_delta":
            return [Piece(f"tool/{index}", delta, "partial_json", "arguments")]
        case "thinking_delta":
            return [Piece(f"thinking/{index}", delta, "thinking", "sealed")]
        case "signature_delta":
            return []
        case _:
            return list(strings(delta, f"delta/{index}"))


def _started(block: dict[str, Any], index: Any) -> list[Piece]:
    match block.get("type"):
        case "text":
            return [Piece("text", block, "text", "text")]
        case "tool_use" | "server_tool_use" | "mcp_tool_use":
            # A block may begin with its whole input; followed by deltas it would be two things at once, and no JSON.
            begun = {"partial_json": json.dumps(given, ensure_ascii=False)} if (given := block.get("input")) else {}
            return [Piece(f"tool/{index}", begun, "partial_json", "arguments"), *strings(one(given))]
        case "thinking":
            return [Piece(f"thinking/{index}", block, "thinking", "sealed")]
        case _:
            return list(strings(block, f"block/{index}"))


def _counts(usage: Any) -> dict[str, Any]:
    """Return what an event counts; explicit nulls say nothing and must not erase what was said before."""
    return {key: value for key, value in one(usage).items() if value is not None}


def _usage(raw: dict[str, Any]) -> Usage:
    """Return the usage. Anthropic's `input_tokens` leaves out what a cache gave or took; ours holds all."""
    cached, written = count(raw, "cache_read_input_tokens"), count(raw, "cache_creation_input_tokens")
    tier = raw.get("service_tier")
    taken = count(raw, "input_tokens") + cached + written
    return Usage(taken, count(raw, "output_tokens"), cached, written, tier if isinstance(tier, str) else "")


def _message(raw: Any, where: str) -> Message:
    message = expect(raw, dict, where)
    strict_json.refuse_lookalike_keys(message, _MESSAGE, where)
    role = _ROLES.get(expect(message.get("role"), str, f"{where}/role"))
    if role is None:
        raise BadRequest(f"{where}/role: {message['role'][:40]!r}: expected user or assistant")
    trust = {Role.USER: Trust.USER, Role.SYSTEM: Trust.OPERATOR}.get(role, Trust.TOOL)
    content = message.get("content")
    if isinstance(content, str):
        return Message(role, (Text(content, trust, f"{where}/content"),))
    parts: list[Part] = []
    for index, raw_block in enumerate(expect(content, list, f"{where}/content")):
        parts += _block(expect(raw_block, dict, f"{where}/content/{index}"), trust, f"{where}/content/{index}")
    return Message(role, tuple(parts), pictures_in(content, trust, f"{where}/content"))


def _block(block: dict[str, Any], trust: Trust, where: str) -> list[Part]:
    kind = str(block.get("type"))
    if kind.endswith("tool_use"):
        arguments = json.dumps(block.get("input"), ensure_ascii=False)
        return [ToolCall(str(block.get("id", "")), str(block.get("name", "")), arguments)]
    if kind.endswith("tool_result"):
        found = texts_in(block.get("content"), Trust.TOOL, f"{where}/content")
        return [ToolResult(str(block.get("tool_use_id", "")), text) for text in found]
    if kind in ("document", "search_result"):
        return list(texts_in(block, Trust.WEB, where))
    return list(texts_in(block, trust, where))


def _tools(document: dict[str, Any]) -> list[ToolSpec]:
    specs = []
    for index, raw in enumerate(expect(document.get("tools") or [], list, "tools")):
        tool = expect(raw, dict, f"tools/{index}")
        schema = json.dumps(tool.get("input_schema") or {}, ensure_ascii=False)
        specs.append(ToolSpec(str(tool.get("name") or ""), str(tool.get("description") or ""), schema))
    return specs

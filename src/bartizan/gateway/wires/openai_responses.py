"""OpenAI Responses: `POST /v1/responses`, streamed and not.

What the request only points to (an earlier response, a stored conversation, a prompt template) is not seen and so not
screened here; the operator's `stateful` setting says whether such requests pass.
"""

import json
from typing import Any

from bartizan.core.errors import BadRequest
from bartizan.core.messages import ROLE_TRUST, Message, Prompt, Role, ToolCall, ToolResult, ToolSpec, Trust
from bartizan.gateway.rulings import Rulings
from bartizan.gateway.sse import Event, written
from bartizan.gateway.wires import strict_json
from bartizan.gateway.wires.base import Asked, Piece, Read, Said, decode, dicts, dump, expect, new_id, strings, texts_in
from bartizan.gateway.wires.openai_answers import openai_error, text_of, unread, unwrapped, usage_of
from bartizan.gateway.wires.pictures import pictures_in

_TOP = frozenset(
    ("model", "input", "instructions", "tools", "stream", "max_output_tokens", "previous_response_id", "prompt")
)
_ITEM = frozenset(("type", "role", "content", "name", "arguments", "output", "call_id", "summary"))
_ROLES = {"system": Role.SYSTEM, "developer": Role.DEVELOPER, "user": Role.USER, "assistant": Role.ASSISTANT}
_JOINED = frozenset(("text",))
_REPLACEABLE = frozenset(("function_call", "custom_tool_call", "mcp_approval_request"))
"""Calls that the client carries out, or approves. What the provider runs has happened already."""
_ENDS = frozenset(("response.completed", "response.incomplete", "response.failed", "error"))


class OpenAIResponses:
    """The Responses dialect."""

    name = "openai-responses"
    paths: tuple[str, ...] = ("/v1/responses",)
    generates = True
    billed = True
    usage_on_request = False
    cap_keys: tuple[str, ...] = ("max_output_tokens",)

    def parse(self, body: bytes) -> Asked:
        """Return what the body asks. Raises BadRequest when it cannot be understood without doubt."""
        document = strict_json.loads(body)
        strict_json.refuse_lookalike_keys(document, _TOP, "request body")
        messages = []
        if isinstance(document.get("instructions"), str):
            messages.append(Message.of(Role.SYSTEM, document["instructions"], "/instructions"))
        given = document.get("input")
        if isinstance(given, str):
            messages.append(Message.of(Role.USER, given, "/input"))
        elif given is not None:
            messages += [_item(item, f"/input/{index}") for index, item in enumerate(expect(given, list, "input"))]
        if isinstance(document.get("prompt"), dict):
            given = document["prompt"]
            texts = tuple(texts_in(given, Trust.USER, "/prompt"))
            messages.append(Message(Role.USER, texts, pictures_in(given, Trust.USER, "/prompt")))
        cap = document.get("max_output_tokens")
        prompt = Prompt(
            expect(document.get("model", ""), str, "model"),
            tuple(messages),
            tuple(_tools(document)),
            document.get("stream") is True,
            cap if isinstance(cap, int) and not isinstance(cap, bool) else None,
        )
        earlier, grows = _earlier(document)
        return Asked(prompt, document, earlier=earlier, earlier_grows=grows)

    def reader(self, asked: Asked) -> "ResponsesReader":
        """Return a reader for the answer."""
        return ResponsesReader(asked.prompt.model)

    def refuse(self, asked: Asked, text: str) -> Said:
        """Return the refusal as a response that is incomplete because of its content."""
        reader = self.reader(asked)
        if asked.prompt.stream:
            return Said(200, b"text/event-stream", reader.cut(text))
        return Said(200, b"application/json", dump(reader.filtered(text)))

    def error(self, status: int, code: str, message: str) -> Said:
        """Return `{"error": {...}}` as OpenAI's clients expect it."""
        return openai_error(status, code, message)


class ResponsesReader:
    """Reads Responses, streamed and not."""

    def __init__(self, model: str) -> None:
        """`model` stands in refusals until the upstream has said its own name."""
        self._response: dict[str, Any] = {
            "id": new_id("resp_"),
            "object": "response",
            "created_at": 0,
            "model": model,
            "output": [],
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "error": None,
            "instructions": None,
            "metadata": {},
            "temperature": None,
            "top_p": None,
        }
        self.rulings = Rulings()
        self._calls: dict[str, dict[str, Any]] = {}
        self._items: dict[str, dict[str, Any]] = {}
        self._shift = 0
        self._number = 0
        self._begun = False
        self._output = 0

    def event(self, event: Event) -> Read:
        """Return what one event of a stream holds."""
        try:
            document = decode(event.data)
        except ValueError:
            return Read(end=event.data == b"[DONE]") if event.data in (b"", b"[DONE]") else unread(event)
        if not isinstance(document, dict):
            return unread(event)
        kind = str(document.get("type", ""))
        read = Read(document)
        channel = f"tool/{document.get('output_index')}"
        item = document.get("item")
        if kind.endswith(".delta") and isinstance(document.get("delta"), str):
            read.pieces = self._delta(kind, channel, document)
            return read
        if kind not in _ENDS and isinstance(document.get("response"), dict):
            output = document["response"].get("output")  # what the client itself sent comes back here too: not read
            read.pieces = list(strings(output)) if isinstance(output, list) else []
            self._standing(output, read)
        elif kind in _ENDS:
            response = document.get("response") or document
            read = self._response_read(response if isinstance(response, dict) else {}, document)
            read.last = True
        else:
            read.pieces = list(strings(document))
        for piece in read.pieces:
            piece.kind = "whole"  # events that repeat what was streamed stand for themselves
        if isinstance(item, dict) and (key := _arguments_key(item)):
            self._calls[channel] = item
            if kind == "response.output_item.added":
                read.pieces.append(Piece(channel, {key: text_of(item.get(key))}, key, "arguments"))
            else:
                read.closes = (channel,)
                read.calls.append((channel, text_of(item.get(key))))
        if kind.endswith(("arguments.done", "input.done")) and channel in self._calls:
            read.closes = (channel,)
            read.calls.append((channel, text_of(document.get("arguments", document.get("input")))))
        return read

    def _standing(self, output: Any, read: Read) -> None:
        """Add the complete calls in a list of items, by the names under which they were streamed."""
        known = {_identity(item): channel for channel, item in self._calls.items()}
        for number, item in enumerate(dicts(output)):
            if not (key := _arguments_key(item)):
                continue
            channel = known.get(_identity(item), f"standing/{number}")
            self._calls.setdefault(channel, item)
            read.calls.append((channel, text_of(item.get(key))))

    def _delta(self, kind: str, channel: str, document: dict[str, Any]) -> list[Piece]:
        if "arguments" in kind or "tool_call_input" in kind:
            return [Piece(channel, document, "delta", "arguments")]
        if "audio" in kind and "transcript" not in kind:
            return []
        name = kind.removeprefix("response.").removesuffix(".delta")
        return [Piece(name, document, "delta", "text")]

    def whole(self, body: bytes) -> Read:
        """Return what a complete answer holds."""
        document = decode(body)
        if not isinstance(document, dict):
            raise ValueError("not a JSON object")
        return self._response_read(document, document)

    def _response_read(self, response: dict[str, Any], document: dict[str, Any]) -> Read:
        output = response.get("output")
        pieces = list(strings(output, "/output", joined=_JOINED)) if isinstance(output, list) else []
        for key in ("error", "message", "incomplete_details"):
            value = response.get(key)
            if isinstance(value, str):
                pieces.append(Piece(key, response, key))
            elif isinstance(value, dict | list):
                pieces += strings(value, key)
        finish = str(response.get("status") or "")
        usage = usage_of(response.get("usage"), response.get("service_tier"))
        read = Read(document, pieces, end=True, usage=usage, finish=finish, answer_id=str(response.get("id") or ""))
        self._standing(output, read)
        return read

    def call(self, channel: str, arguments: str) -> ToolCall:
        """Return the call whose complete arguments `channel` has carried; free text is one argument, `input`."""
        item = self._calls.get(channel, {})
        text = json.dumps({"input": arguments}) if _arguments_key(item) == "input" else arguments
        return ToolCall(str(item.get("call_id") or item.get("id") or ""), str(item.get("name") or ""), text)

    def replaceable(self, key: str) -> bool:
        """Return whether the client is who carries the call out."""
        return self._calls.get(key, {}).get("type") in _REPLACEABLE

    def amend(self, read: Read) -> None:
        """Make a denied call a message, event for event, and write new arguments wherever a call's stand."""
        document = read.document
        if not isinstance(document, dict):
            return
        if self.rulings:
            response = document["response"] if isinstance(document.get("response"), dict) else document
            if isinstance(response.get("output"), list):
                self._outputs(response["output"], read)
            channel = f"tool/{document.get('output_index')}"
            if channel in self.rulings.denied:
                self._replaced(channel, document, read)
            elif channel in self.rulings.rewritten:
                self._rewritten(channel, document, read)
        number = document.get("sequence_number")
        if isinstance(number, int) and (self._shift or read.before or read.hidden):
            for step, (_, event) in enumerate(read.before):
                event["sequence_number"] = number + self._shift + step
            self._shift += len(read.before)
            document["sequence_number"], read.dirty = number + self._shift, True
            self._shift -= read.hidden

    def _outputs(self, output: list[Any], read: Read) -> None:
        known = {_identity(item): channel for channel, item in self._calls.items()}
        for number, item in enumerate(output):
            channel = known.get(_identity(item), "") if isinstance(item, dict) else ""
            if channel in self.rulings.denied:
                output[number], read.dirty = self._message(channel), True
            elif channel in self.rulings.rewritten:
                item[_arguments_key(item)], read.dirty = unwrapped(self.rulings.rewritten[channel]), True

    def _message(self, channel: str) -> dict[str, Any]:
        """Return the message that stands in the place of a denied call: the same one in every event."""
        return self._items.setdefault(channel, _message_item(self.rulings.denied[channel], "completed"))

    def _replaced(self, channel: str, document: dict[str, Any], read: Read) -> None:
        kind, item, index = str(document.get("type")), self._message(channel), document["output_index"]
        if kind == "response.output_item.added":
            document["item"], read.dirty = {**item, "status": "in_progress", "content": []}, True
        elif kind == "response.output_item.done":
            document["item"], read.dirty = item, True
            read.before = [(str(event["type"]), event) for event in _text_events(item, index)]
        else:
            read.hidden = True

    def _rewritten(self, channel: str, document: dict[str, Any], read: Read) -> None:
        """Give all of the new arguments in the events that repeat them, and one delta before those."""
        kind, text = str(document.get("type")), unwrapped(self.rulings.rewritten[channel])
        if isinstance(item := document.get("item"), dict) and (key := _arguments_key(item)):
            item[key], read.dirty = text if kind.endswith("done") else "", True
        elif kind.endswith(".delta"):
            read.hidden = True
        else:
            key = "arguments" if "arguments" in document else "input"
            document[key], read.dirty = text, True
            delta = {"item_id": document.get("item_id"), "output_index": document["output_index"], "delta": text}
            event = kind.removesuffix("done") + "delta"
            read.before.append((event, {"type": event, **delta}))

    def passed(self, read: Read) -> None:
        """Remember the response's head and how far its numbering and output have come."""
        if not isinstance(read.document, dict):
            return
        number = read.document.get("sequence_number")
        self._number = max(self._number, number + 1 if isinstance(number, int) else 0)
        if isinstance(response := read.document.get("response"), dict):
            self._begun = True
            self._response = {**self._response, **response}
        if isinstance(index := read.document.get("output_index"), int):
            self._output = max(self._output, index + 1)

    def filtered(self, text: str) -> dict[str, Any]:
        """Return the response as one whose content was filtered and that says `text`."""
        message = _message_item(text, "incomplete")
        details = {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}, "output": [message]}
        return {**self._response, **details, "usage": None}

    def cut(self, text: str) -> bytes:
        """Return the events that add one last message and end the response as incomplete."""
        final = self.filtered(text)
        item, index = final["output"][0], self._output
        opening = {**self._response, "status": "in_progress", "output": []}
        events: list[dict[str, Any]] = [] if self._begun else [{"type": "response.created", "response": opening}]
        events += [
            {"type": "response.output_item.added", "output_index": index, "item": {**item, "content": []}},
            *_text_events(item, index),
            {"type": "response.output_item.done", "output_index": index, "item": item},
            {"type": "response.incomplete", "response": final},
        ]
        return b"".join(
            written(str(event["type"]), dump({**event, "sequence_number": self._number + step}))
            for step, event in enumerate(events)
        )


def _earlier(document: dict[str, Any]) -> tuple[str, bool]:
    """Return the name of what a request goes on from, and whether that is a conversation."""
    before, kept = document.get("previous_response_id"), document.get("conversation")
    if isinstance(before, str) and before:
        return before, False
    name = kept.get("id") if isinstance(kept, dict) else kept
    return (name, True) if isinstance(name, str) and name else ("", False)


def _arguments_key(item: dict[str, Any]) -> str:
    """Return the key under which a call has its arguments; empty for an item that is no call."""
    key = "input" if item.get("type") == "custom_tool_call" else "arguments"
    return key if key in item or item.get("type") in _REPLACEABLE else ""


def _identity(item: dict[str, Any]) -> tuple[str, str, str]:
    return str(item.get("type")), str(item.get("call_id") or item.get("id")), str(item.get("name"))


def _text_events(item: dict[str, Any], index: int) -> list[dict[str, Any]]:
    """Return the events between the beginning and the end of a message of one text."""
    place = {"item_id": item["id"], "output_index": index, "content_index": 0}
    part = item["content"][0]
    return [
        {"type": "response.content_part.added", **place, "part": {**part, "text": ""}},
        {"type": "response.output_text.delta", **place, "delta": part["text"], "logprobs": []},
        {"type": "response.output_text.done", **place, "text": part["text"], "logprobs": []},
        {"type": "response.content_part.done", **place, "part": part},
    ]


def _message_item(text: str, status: str) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"id": new_id("msg_"), "type": "message", "role": "assistant", "status": status, "content": [part]}


def _item(raw: Any, where: str) -> Message:
    item = expect(raw, dict, where)
    strict_json.refuse_lookalike_keys(item, _ITEM, where)
    kind = item.get("type", "message")
    if kind == "message":
        role = _ROLES.get(expect(item.get("role"), str, f"{where}/role"))
        if role is None:
            raise BadRequest(f"{where}/role: {item['role'][:40]!r}: expected one of {', '.join(_ROLES)}")
        trust, content = ROLE_TRUST[role], item.get("content")
        pictures = pictures_in(content, trust, f"{where}/content")
        return Message(role, tuple(texts_in(content, trust, f"{where}/content")), pictures)
    call_id = str(item.get("call_id") or item.get("id") or "")
    if str(kind).endswith("_output"):
        texts = texts_in(item.get("output"), Trust.TOOL, f"{where}/output")
        pictures = pictures_in(item.get("output"), Trust.TOOL, f"{where}/output")
        return Message(Role.TOOL, tuple(ToolResult(call_id, text) for text in texts), pictures)
    if str(kind).endswith("_call") and "name" in item:
        arguments = str(item.get("arguments", item.get("input", "")))
        return Message(Role.ASSISTANT, (ToolCall(call_id, str(item["name"]), arguments),))
    return Message(Role.ASSISTANT, tuple(texts_in(item, Trust.TOOL, where)), pictures_in(item, Trust.TOOL, where))


def _tools(document: dict[str, Any]) -> list[ToolSpec]:
    specs = []
    for index, raw in enumerate(expect(document.get("tools") or [], list, "tools")):
        tool = expect(raw, dict, f"tools/{index}")
        name = str(tool.get("name") or tool.get("server_label") or tool.get("type") or "")
        text = str(tool.get("description") or tool.get("server_description") or "")
        specs.append(ToolSpec(name, text, json.dumps(tool.get("parameters") or {}, ensure_ascii=False)))
    return specs

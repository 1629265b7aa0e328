"""Answers in OpenAI's older form (`choices`): read as they come, refused, cut off, and errors. Chat and Completions."""

from typing import Any

from bartizan.core.messages import Usage
from bartizan.gateway.sse import Event
from bartizan.gateway.wires.base import Piece, Read, Said, count, decode, dicts, dump, new_id, one, strings

_TOP_KNOWN = frozenset(
    ("choices", "id", "object", "created", "model", "usage", "system_fingerprint", "service_tier", "obfuscation")
)
_CHOICE_KNOWN = frozenset(("index", "delta", "text", "finish_reason", "logprobs"))
_NOT_TEXT = frozenset(("role", "id", "type"))


class ChatReader:
    """Reads Chat Completions and Completions, streamed and not."""

    def __init__(self, model: str, form: str = "chat.completion.chunk", *, hide_usage: bool = False) -> None:
        """`model` stands in refusals until the upstream has said its own name; `form` is the name of its events.

        `hide_usage`: the client did not ask for the event that holds the usage and no choice.
        """
        self._hide_usage = hide_usage
        self._head: dict[str, Any] = {"id": new_id("chatcmpl-"), "object": form, "created": 0, "model": model}
        self._indexes = {0}
        self._calls: dict[str, tuple[str, str]] = {}
        self._begun = False

    def event(self, event: Event) -> Read:
        """Return what one event of a stream holds."""
        if event.data == b"[DONE]":
            return Read(end=True, last=True)
        try:
            document = decode(event.data)
        except ValueError:
            return Read() if not event.data else unread(event)
        if not isinstance(document, dict) or not isinstance(choices := document.get("choices"), list):
            return Read(document, list(strings(document)) if isinstance(document, dict | list) else [])
        read = Read(document, usage=usage_of(document.get("usage"), document.get("service_tier")))
        for choice in choices:
            if isinstance(choice, dict):
                self._choice(choice, read)
        read.hidden = self._hide_usage and not choices and read.usage is not None
        _others(document, _TOP_KNOWN, read)
        return read

    def _choice(self, choice: dict[str, Any], read: Read) -> None:
        index = choice.get("index", 0)
        delta = choice.get("delta")
        if isinstance(choice.get("text"), str):
            read.pieces.append(Piece(f"{index}/text", choice, "text", "text"))
        if isinstance(delta, dict):
            for key, value in delta.items():
                if isinstance(value, str):
                    if key not in _NOT_TEXT:
                        read.pieces.append(Piece(f"{index}/{key}", delta, key, "text"))
                elif isinstance(value, dict | list) and value:
                    self._nested(key, value, index, read)
        _others(choice, _CHOICE_KNOWN, read)
        if finish := choice.get("finish_reason"):
            read.finish = str(finish)
            read.closes = (*read.closes, f"{index}/")

    def _nested(self, key: str, value: Any, index: Any, read: Read) -> None:
        if key == "tool_calls" and isinstance(value, list):
            for call in value:
                if isinstance(call, dict):
                    self._call(f"{index}/tool/{call.get('index', 0)}", call, read)
        elif key == "function_call" and isinstance(value, dict):
            self._call(f"{index}/function", {"function": value}, read)
        else:
            for piece in strings(value):
                piece.channel, piece.kind = f"{index}/{key}/{piece.key}", "text"
                read.pieces.append(piece)

    def _call(self, channel: str, call: dict[str, Any], read: Read) -> None:
        function = call.get("function") or call.get("custom")
        if not isinstance(function, dict):
            return
        known = self._calls.get(channel, ("", ""))
        self._calls[channel] = (str(call.get("id") or known[0]), str(function.get("name") or known[1]))
        key = "input" if "input" in function else "arguments"
        read.pieces.append(Piece(channel, function, key, "arguments"))

    def whole(self, body: bytes) -> Read:
        """Return what a complete answer holds."""
        document = decode(body)
        if not isinstance(document, dict):
            raise ValueError("not a JSON object")
        read = Read(
            document,
            list(strings(document)),
            end=True,
            usage=usage_of(document.get("usage"), document.get("service_tier")),
        )
        for number, choice in enumerate(dicts(document.get("choices"))):
            read.finish = str(choice.get("finish_reason") or "")
            for position, call in enumerate(dicts(one(choice.get("message")).get("tool_calls"))):
                function = one(call.get("function") or call.get("custom"))
                channel = f"/choices/{number}/message/tool_calls/{position}/function/arguments"
                self._calls[channel] = (str(call.get("id")), str(function.get("name")))
        return read

    def call(self, channel: str) -> tuple[str, str]:
        """Return id and tool name of the call whose arguments `channel` carries."""
        return self._calls.get(channel, ("", ""))

    def passed(self, read: Read) -> None:
        """Remember the stream's id and model, so that a cut keeps them."""
        if not isinstance(read.document, dict):
            return
        found = [choice.get("index", 0) for choice in dicts(read.document.get("choices"))]
        self._indexes.update(index for index in found if type(index) is int)
        if not self._begun:
            self._begun = True
            self._head = {key: read.document.get(key, value) for key, value in self._head.items()}

    def cut(self, text: str) -> bytes:
        """Return the events that end this stream as filtered."""
        events = b""
        for index in sorted(self._indexes):
            for content, finish in ((text, None), ("", "content_filter")):
                delta: dict[str, Any] = {"content": content} if content else {}
                if content and not self._begun:
                    delta = {"role": "assistant", "content": content, "refusal": None}
                said = {"text": content} if self._head["object"] == "text_completion" else {"delta": delta}
                choice = {"index": index, **said, "logprobs": None, "finish_reason": finish}
                events += b"data: " + dump({**self._head, "choices": [choice]}) + b"\n\n"
        return events + b"data: [DONE]\n\n"


def _others(node: dict[str, Any], known: frozenset[str], read: Read) -> None:
    """Add texts under keys that are not `known`: each is complete by itself as far as we can tell."""
    for key, value in node.items():
        if key in known or not value:
            continue
        if isinstance(value, str):
            read.pieces.append(Piece(key, node, key))
        elif isinstance(value, dict | list):
            read.pieces += strings(value, key)


def unread(event: Event) -> Read:
    """Return an event that is not JSON as one whole piece: it is searched like any text."""
    holder = {"raw": event.data.decode("utf-8", "replace")}
    return Read(None, [Piece("raw", holder, "raw")])


def usage_of(raw: Any, tier: Any = None) -> Usage | None:
    """Return token counts under either of OpenAI's names, or None when there is none that can be believed."""
    if not isinstance(raw, dict):
        return None
    taken = raw.get("prompt_tokens", raw.get("input_tokens"))
    given = raw.get("completion_tokens", raw.get("output_tokens", 0))
    if type(taken) is not int or type(given) is not int or taken < 0 or given < 0:
        return None
    details = one(raw.get("prompt_tokens_details") or raw.get("input_tokens_details"))
    return Usage(taken, given, count(details, "cached_tokens"), 0, tier if isinstance(tier, str) else "")


def openai_error(status: int, code: str, message: str) -> Said:
    """Return an error body in OpenAI's form, which its SDKs turn into their typed exceptions."""
    kinds = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
    kind = kinds.get(status, "invalid_request_error" if status < 500 else "api_error")
    body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return Said(status, b"application/json", dump(body))

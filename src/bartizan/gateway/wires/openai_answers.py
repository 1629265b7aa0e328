"""Answers in OpenAI's older form (`choices`): read as they come, refused, cut off, and errors. Chat and Completions."""

import json
from typing import Any

from bartizan.core.messages import ToolCall, Usage
from bartizan.gateway.rulings import Rulings
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
        self.rulings = Rulings()
        self._calls: dict[str, tuple[str, str, str]] = {}
        self._told: set[str] = set()
        self._spoke: set[str] = set()
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
                        if key == "content" and value:
                            self._spoke.add(str(index))
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
        function = one(call.get("function") or call.get("custom"))
        known = self._calls.get(channel, ("", "", ""))
        key = "input" if "input" in function or "custom" in call else "arguments"
        named = str(function.get("name") or "")
        name = known[1] if named in ("", known[1]) else known[1] + named  # a name may come in parts too
        self._calls[channel] = (str(call.get("id") or known[0]), name, known[2] or key)
        text = text_of(function.get(key))
        holder = function if isinstance(function.get(key), str) else {key: text}
        read.pieces.append(Piece(channel, holder, key, "arguments"))

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
            message = one(choice.get("message"))
            asked = [(f"{number}/tool/{at}", call) for at, call in enumerate(dicts(message.get("tool_calls")))]
            if isinstance(message.get("function_call"), dict):
                asked.append((f"{number}/function", {"function": message["function_call"]}))
            for channel, call in asked:
                parts = Read()
                self._call(channel, call, parts)
                read.calls.append((channel, parts.pieces[0].text))
        return read

    def call(self, channel: str, arguments: str) -> ToolCall:
        """Return the call whose complete arguments `channel` has carried; free text is one argument, `input`."""
        called, name, key = self._calls.get(channel, ("", "", ""))
        return ToolCall(called, name, json.dumps({"input": arguments}) if key == "input" else arguments)

    def replaceable(self, key: str) -> bool:
        """Return True: every call of this dialect is the client's to carry out."""
        return True

    def amend(self, read: Read) -> None:
        """Take denied calls out of the choices, number the others anew, and say what is told instead."""
        if not self.rulings or not isinstance(read.document, dict):
            return
        for number, choice in enumerate(dicts(read.document.get("choices"))):
            whole = isinstance(choice.get("message"), dict)
            index = number if whole else choice.get("index", 0)
            said = one(choice.get("message") if whole else choice.get("delta"))
            told = self._amended(said, index, read, whole=whole)
            if told and whole:
                said["content"] = "\n\n".join(filter(None, [said.get("content"), *told]))
            elif told:
                delta = {"role": "assistant", "content": self._gap(index) + "\n\n".join(told)}
                head = {key: read.document.get(key, value) for key, value in self._head.items()}
                event = {"index": index, "delta": delta, "logprobs": None, "finish_reason": None}
                read.before.append(("", {**head, "choices": [event]}))
            if choice.get("finish_reason") in ("tool_calls", "function_call") and not self._left(index):
                choice["finish_reason"], read.dirty = "stop", True
        choices = dicts(read.document.get("choices"))
        if read.dirty and choices and not read.document.get("usage") and not any(map(_says, choices)):
            read.hidden = True

    def _gap(self, index: Any) -> str:
        """Return what stands between what a choice said before and what comes now."""
        gap = "\n\n" if str(index) in self._spoke else ""
        self._spoke.add(str(index))
        return gap

    def _left(self, index: Any) -> bool:
        """Return whether a choice still asks for a call."""
        mine = [channel for channel in self._calls if channel.startswith(f"{index}/")]
        return not mine or any(channel not in self.rulings.denied for channel in mine)

    def _amended(self, said: dict[str, Any], index: Any, read: Read, *, whole: bool) -> list[str]:
        """Carry out the rulings on one delta or message; return what is told for calls that begin in it."""
        kept, told = [], []
        calls = said.get("tool_calls")
        for at, call in enumerate(dicts(calls)):
            place = at if whole else call.get("index", 0)
            channel = f"{index}/tool/{place}"
            if channel in self.rulings.denied:
                told += self._tell(channel)
                continue
            if not whole and type(place) is int:
                gone = [f"{index}/tool/{earlier}" in self.rulings.denied for earlier in range(min(place, 1000))]
                call["index"] = place - sum(gone)
            self._rewritten(channel, one(call.get("function") or call.get("custom")))
            kept.append(call)
        if isinstance(calls, list):
            said["tool_calls"], read.dirty = kept, True
            if not kept:
                del said["tool_calls"]
        if isinstance(said.get("function_call"), dict):
            channel, read.dirty = f"{index}/function", True
            self._rewritten(channel, said["function_call"])
            if channel in self.rulings.denied:
                told += self._tell(channel)
                del said["function_call"]
        return told

    def _tell(self, channel: str) -> list[str]:
        """Return what is told in place of a call, once."""
        told = [] if channel in self._told else [self.rulings.denied[channel]]
        self._told.add(channel)
        return told

    def _rewritten(self, channel: str, function: dict[str, Any]) -> None:
        """Put all of the new arguments where the call begins, and nothing where it goes on."""
        if channel not in self.rulings.rewritten:
            return
        text = self.rulings.rewritten[channel]
        key = self._calls[channel][2]
        if key == "input":
            text = unwrapped(text)
        if "name" in function or channel not in self._told:
            function[key] = text
        elif key in function:
            function[key] = ""
        self._told.add(channel)

    def passed(self, read: Read) -> None:
        """Remember the stream's id and model, so that a cut keeps them."""
        if not isinstance(read.document, dict):
            return
        for choice in dicts(read.document.get("choices")):
            index = choice.get("index", 0)
            if type(index) is int:
                self._indexes.add(index)
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


def text_of(value: Any) -> str:
    """Return arguments as text: some servers give an object where the dialect has a string."""
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


def unwrapped(text: str) -> str:
    """Return the free text of a call that was decided as one argument."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    inner = found.get("input") if isinstance(found, dict) and len(found) == 1 else None
    return inner if isinstance(inner, str) else text


def _says(choice: dict[str, Any]) -> bool:
    """Return whether a choice still says anything once calls were taken out."""
    said = one(choice.get("message") or choice.get("delta"))
    return bool(choice.get("finish_reason")) or any(value is not None for value in said.values())


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

"""OpenAI Chat Completions: `POST /v1/chat/completions`, streamed and not. Understood, never rewritten."""

import json
from typing import Any

from bartizan.core.errors import BadRequest
from bartizan.core.messages import ROLE_TRUST, Message, Part, Prompt, Role, Text, ToolCall, ToolResult, ToolSpec, Trust
from bartizan.gateway.wires import strict_json
from bartizan.gateway.wires.base import Asked, Said, dump, expect, new_id
from bartizan.gateway.wires.openai_answers import ChatReader, openai_error
from bartizan.gateway.wires.pictures import pictures_in

_TOP_WORDS = """model messages tools functions stream max_tokens max_completion_tokens n logprobs top_logprobs
    logit_bias tool_choice response_format stop prediction"""
_TOP = frozenset(_TOP_WORDS.split())
_MESSAGE = frozenset(("role", "content", "name", "tool_calls", "tool_call_id", "refusal", "function_call"))
_PART = frozenset(("type", "text", "image_url", "input_audio", "file", "refusal"))
_ROLES = {role.value: (role, ROLE_TRUST[role]) for role in Role} | {"function": (Role.TOOL, ROLE_TRUST[Role.TOOL])}
_NOT_TEXT = frozenset(("role", "content", "tool_calls", "tool_call_id", "function_call"))


class OpenAIChat:
    """The Chat Completions dialect."""

    name = "openai-chat"
    paths: tuple[str, ...] = ("/v1/chat/completions",)
    generates = True
    billed = True
    usage_on_request = True
    cap_keys: tuple[str, ...] = ("max_completion_tokens", "max_tokens")

    def parse(self, body: bytes) -> Asked:
        """Return what the body asks. Raises BadRequest when it cannot be understood without doubt."""
        document = strict_json.loads(body)
        strict_json.refuse_lookalike_keys(document, _TOP, "request body")
        messages = expect(document.get("messages"), list, "messages")
        prompt = Prompt(
            model=expect(document.get("model"), str, "model"),
            messages=tuple(_message(message, f"/messages/{index}") for index, message in enumerate(messages)),
            tools=tuple(_tools(document)),
            stream=document.get("stream") is True,
            max_output_tokens=_cap(document),
        )
        return Asked(prompt, document)

    def reader(self, asked: Asked) -> ChatReader:
        """Return a reader for the answer."""
        return ChatReader(asked.prompt.model, hide_usage=asked.usage_hidden)

    def refuse(self, asked: Asked, text: str) -> Said:
        """Return the refusal as a completion that ended with `content_filter`."""
        if asked.prompt.stream:
            return Said(200, b"text/event-stream", self.reader(asked).cut(text))
        head = {"id": new_id("chatcmpl-"), "created": 0, "model": asked.prompt.model}
        usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "content_filter"}
        return Said(
            200, b"application/json", dump({**head, "object": "chat.completion", "choices": [choice], "usage": usage})
        )

    def error(self, status: int, code: str, message: str) -> Said:
        """Return `{"error": {...}}` as OpenAI's clients expect it."""
        return openai_error(status, code, message)


def _message(raw: Any, where: str) -> Message:
    message = expect(raw, dict, where)
    strict_json.refuse_lookalike_keys(message, _MESSAGE, where)
    known = _ROLES.get(expect(message.get("role"), str, f"{where}/role"))
    if known is None:
        raise BadRequest(f"{where}/role: {message['role'][:40]!r}: expected one of {', '.join(_ROLES)}")
    role, trust = known
    content = message.get("content")
    if len(message) == 2 and isinstance(content, str) and role is not Role.TOOL:
        return Message(role, (Text(content, trust, f"{where}/content"),))
    parts: list[Part] = list(_content(content, trust, f"{where}/content"))
    if role is Role.TOOL:
        call_id = message.get("tool_call_id") or message.get("name") or ""
        parts = [ToolResult(str(call_id), part) for part in parts if isinstance(part, Text)]
    parts += [
        Text(value, trust, f"{where}/{key}")
        for key, value in message.items()
        if isinstance(value, str) and key not in _NOT_TEXT
    ]
    if "tool_calls" in message or "function_call" in message:
        parts += _calls(message, where)
    return Message(role, tuple(parts), pictures_in(content, trust, f"{where}/content"))


def _content(content: Any, trust: Trust, where: str) -> list[Text]:
    if content is None:
        return []
    if isinstance(content, str):
        return [Text(content, trust, where)]
    found = []
    for index, raw in enumerate(expect(content, list, where)):
        part = expect(raw, dict, f"{where}/{index}")
        strict_json.refuse_lookalike_keys(part, _PART, f"{where}/{index}")
        for key in ("text", "refusal"):
            if part.get(key) is not None:
                at = f"{where}/{index}/{key}"
                found.append(Text(expect(part[key], str, at), trust, at))
    return found


def _calls(message: dict[str, Any], where: str) -> list[ToolCall]:
    calls = []
    for index, raw in enumerate(expect(message.get("tool_calls") or [], list, f"{where}/tool_calls")):
        at = f"{where}/tool_calls/{index}"
        call = expect(raw, dict, at)
        function = expect(call.get("function") or call.get("custom") or {}, dict, f"{at}/function")
        arguments = function.get("arguments", function.get("input", ""))
        calls.append(ToolCall(str(call.get("id", "")), str(function.get("name", "")), str(arguments)))
    legacy = message.get("function_call")
    if legacy is not None:
        function = expect(legacy, dict, f"{where}/function_call")
        calls.append(ToolCall("", str(function.get("name", "")), str(function.get("arguments", ""))))
    return calls


def _tools(document: dict[str, Any]) -> list[ToolSpec]:
    specs = []
    offered = expect(document.get("tools") or [], list, "tools")
    legacy = expect(document.get("functions") or [], list, "functions")
    for index, raw in enumerate([*offered, *legacy]):
        tool = expect(raw, dict, f"tools/{index}")
        function = tool.get("function", tool.get("custom", tool))
        function = expect(function, dict, f"tools/{index}/function")
        schema = json.dumps(function.get("parameters", function.get("format", {})), ensure_ascii=False)
        specs.append(ToolSpec(str(function.get("name", "")), str(function.get("description") or ""), schema))
    return specs


def _cap(document: dict[str, Any]) -> int | None:
    caps = [
        value
        for key in ("max_completion_tokens", "max_tokens")
        if isinstance(value := document.get(key), int) and not isinstance(value, bool)
    ]
    return max(caps, default=None)

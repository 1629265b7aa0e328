"""One JSON object in, its decisions out: the form that `bartizan policy decide --jsonl` and agent frameworks use.

`{"messages": [OpenAI form, the last one the assistant's with tool_calls], "tools": [...], "manifest": optional}`. State
is only what is in the object.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from bartizan.core.errors import BadRequest
from bartizan.core.messages import ROLE_TRUST, Message, Part, Role, Text, ToolCall, ToolResult, ToolSpec
from bartizan.policy.cedar import Rules
from bartizan.policy.context import Context, context_of
from bartizan.policy.decide import decide
from bartizan.policy.endorsements import Endorsement
from bartizan.policy.explain import Explained, explain
from bartizan.policy.manifest import Manifest


def decide_calls(
    case: Mapping[str, Any],
    manifest: Manifest | None = None,
    endorsed: Sequence[Endorsement] = (),
    rules: Rules | None = None,
) -> list[dict[str, Any]]:
    """Return a decision for each tool call of the last message. A manifest in `case` replaces `manifest`.

    `endorsed` is what a person has said yes to before; `rules` are the operator's, for the `principal` in
    `case`. Raises BadRequest when the object is not of the form, BadSettings when its manifest is not.
    """
    calls, context = case_of(case, manifest, endorsed, rules)
    decisions = []
    for call in calls:
        decision = decide(call, context)
        decisions.append(_shown(asdict(decision)))
        if decision.verdict in ("allow", "rewrite"):
            context = context.after(call)
    return decisions


def explain_calls(
    case: Mapping[str, Any],
    manifest: Manifest | None = None,
    rules: Rules | None = None,
) -> list[Explained]:
    """Return for each tool call of the last message why it is decided as it is. Raises as `decide_calls` does."""
    calls, context = case_of(case, manifest, (), rules)
    explained = []
    for call in calls:
        one = explain(call, context)
        explained.append(one)
        if one.decision.verdict in ("allow", "rewrite"):
            context = context.after(call)
    return explained


def case_of(
    case: Mapping[str, Any], manifest: Manifest | None, endorsed: Sequence[Endorsement], rules: Rules | None
) -> tuple[list[ToolCall], Context]:
    """Return the calls of a case and what a decision on them may use. Raises BadRequest, BadSettings."""
    raw = case.get("messages")
    if not isinstance(raw, list) or not raw:
        raise BadRequest("messages: expected a list with at least one message")
    messages = [message(number, one) for number, one in enumerate(raw)]
    calls = [part for part in messages[-1].parts if isinstance(part, ToolCall)]
    if not calls:
        raise BadRequest("the last message holds no tool_calls: expected the assistant's message to be decided")
    if case.get("manifest") is not None:
        manifest = Manifest.parse(json.dumps(case["manifest"]))
    context = context_of(messages[:-1], [tool_spec(tool) for tool in case.get("tools") or ()], manifest, endorsed)
    return calls, replace(context, rules=rules, principal=str(case.get("principal") or ""))


def _shown(decision: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in decision.items() if value is not None}


def message(number: int, raw: Any) -> Message:
    """Return one message of OpenAI's form, the `number`-th of its conversation. Raises BadRequest."""
    where = f"messages[{number}]"
    if not isinstance(raw, dict):
        raise BadRequest(f"{where}: expected an object")
    raw = _as_it_is_now(raw)
    try:
        role = Role(raw.get("role"))
    except ValueError:
        raise BadRequest(
            f"{where}.role = {str(raw.get('role'))[:40]!r}: expected one of {', '.join(known.value for known in Role)}"
        ) from None
    text = _content(raw.get("content"), where)
    parts: list[Part] = []
    if role is Role.TOOL:
        parts.append(ToolResult(str(raw.get("tool_call_id") or ""), Text(text, ROLE_TRUST[role], where)))
    elif text:
        parts.append(Text(text, ROLE_TRUST[role], where))
    for call in raw.get("tool_calls") or ():
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict) or role is not Role.ASSISTANT:
            raise BadRequest(f"{where}.tool_calls: expected calls with a function, in an assistant's message")
        arguments = function.get("arguments")
        text_of = arguments if isinstance(arguments, str) else json.dumps(arguments if arguments is not None else {})
        parts.append(ToolCall(str(call.get("id") or ""), str(function.get("name", "")), text_of))
    return Message(role, tuple(parts))


def _content(content: Any, where: str) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    if isinstance(content, list) and all(isinstance(part, dict) and "type" in part for part in content):
        return "\n".join(str(part.get("text") or part.get("content") or "") for part in content)
    if isinstance(content, dict | list):
        return json.dumps(content, ensure_ascii=False)  # a result as its tool gave it
    raise BadRequest(f"{where}.content: expected text, or a list of parts")


def _as_it_is_now(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a message with functions, as OpenAI had them before tools, in the form of tools: one call at a time."""
    called = raw.get("function_call")
    if raw.get("role") == "function":
        return {**raw, "role": "tool", "tool_call_id": f"function {raw.get('name', '')}"}
    if raw.get("role") == "assistant" and isinstance(called, dict) and not raw.get("tool_calls"):
        return {**raw, "tool_calls": [{"id": f"function {called.get('name', '')}", "function": called}]}
    return raw


def tool_spec(raw: Any) -> ToolSpec:
    """Return one tool of OpenAI's form, or of Anthropic's or MCP's. Raises BadRequest."""
    function = raw.get("function", raw) if isinstance(raw, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise BadRequest("tools: expected objects with a function and its name")
    schema = function.get("parameters") or function.get("input_schema") or function.get("inputSchema") or {}
    return ToolSpec(function["name"], str(function.get("description") or ""), json.dumps(schema))

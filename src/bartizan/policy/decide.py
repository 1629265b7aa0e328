"""May this tool call happen? Anchored intent: information flow for tool calls, without a second model.

Invariant: once text that anybody could have written stands before the model, no side effect happens unless its class
is licensed by what the user asked, every argument that carries authority is named by trusted text, and the payload
carries no address or link that trusted text does not name. A value found nowhere is named by nobody, so encodings do
not help. Covers calls only: a model that lies in its answer, or picks the wrong of two named values, is not stopped.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from bartizan.core.messages import Message, Text, ToolCall, ToolResult, ToolSpec, Trust
from bartizan.policy.intent import Intent, intent_of
from bartizan.policy.manifest import Effect, Manifest, Role, Tool, role_of
from bartizan.policy.values import as_number, canonical, canonical_url, host_form, plain, stands_in, values

Word = Literal["allow", "rewrite", "ask", "block"]
REMOVED = "[removed: not in the request]"
_MOST_LEAVES = 2000
_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the value of an argument was found: `request`, a named tool result, or `nowhere`."""

    argument: str
    role: str
    value: str
    found: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens to one call. `reason` is a word for machines, `why` a sentence; `arguments` is set for rewrite."""

    id: str
    tool: str
    verdict: Word
    reason: str
    why: str
    provenance: tuple[Provenance, ...] = ()
    arguments: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """The context of a call: what was asked, and what tools returned that anybody could have written."""

    intent: Intent
    untrusted: tuple[Text, ...]
    tools: Mapping[str, ToolSpec] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Leaf:
    path: str
    role: Role
    value: Any


def seen(messages: Sequence[Message], tools: Sequence[ToolSpec] = (), manifest: Manifest | None = None) -> Seen:
    """Return the context that `messages` make. A result is trusted only when the operator's manifest says so."""
    described = (manifest or Manifest()).tools
    callers = {part.id: part.tool for message in messages for part in message.parts if isinstance(part, ToolCall)}
    trusted: list[Text] = []
    untrusted: list[Text] = []
    for message in messages:
        for part in message.parts:
            match part:
                case Text():
                    if part.trust >= Trust.USER:
                        trusted.append(part)
                    elif part.trust < Trust.TOOL:
                        untrusted.append(part)
                case ToolResult(call_id=call, text=text) if text.content.strip():
                    tool = callers.get(call, "")
                    if not (tool in described and described[tool].result_trusted):
                        untrusted.append(Text(text.content, text.trust, f"{tool or 'tool'} {text.origin}".strip()))
                case _:
                    pass  # what a model said before is not authority: an attacker may have made it say so
    return Seen(intent_of(trusted), tuple(untrusted), {tool.name: tool for tool in tools})


def decide(call: ToolCall, context: Seen, manifest: Manifest | None = None) -> Decision:
    """Return what happens to `call`. Total: whatever the model wrote gets a decision."""
    spec = context.tools.get(call.tool)
    if spec is None and context.tools:
        return _no(call, "tool-not-offered", f"the tool {call.tool[:80]!r} was not offered in this request")
    tool = (manifest or Manifest()).tool(spec or ToolSpec(call.tool))
    try:
        arguments = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        return _no(call, "bad-arguments", "the arguments are not a JSON object")
    if any(next(values(name), None) for name in arguments):
        return _no(call, "bad-arguments", "the name of an argument is an address or a link")
    leaves = list(_leaves(arguments, tool))
    if len(leaves) > _MOST_LEAVES:
        return _no(call, "bad-arguments", f"more than {_MOST_LEAVES} values in the arguments")
    if tool.effect is Effect.READ:
        return Decision(call.id, call.tool, "allow", "read-only", "the tool only reads")
    if not context.untrusted:
        return Decision(
            call.id, call.tool, "allow", "not-tainted", "nothing that a stranger could have written was read"
        )
    if tool.effect is not Effect.FETCH and tool.effect not in context.intent.effects:
        return _no(call, "effect-not-licensed", f"the request does not ask to {tool.effect.value}")
    return _judged(call, context, tool, arguments, leaves)


def _judged(call: ToolCall, context: Seen, tool: Tool, arguments: dict[str, Any], leaves: Sequence[_Leaf]) -> Decision:
    unnamed = [(leaf, reason) for leaf in leaves if (reason := _unnamed(leaf, context.intent, tool))]
    provenance = tuple(_provenance(leaf, context) for leaf, _ in unnamed)
    for (leaf, reason), place in zip(unnamed, provenance, strict=True):
        if leaf.role is Role.SECRET or place.found == "nowhere":
            why = f"{leaf.path} = {place.value!r} is not in the request, nor anywhere else that was read"
            return Decision(
                call.id,
                call.tool,
                "block",
                reason,
                why if place.found == "nowhere" else f"{leaf.path} is a credential that the user did not write",
                provenance,
            )
    if unnamed:
        leaf, reason = unnamed[0]
        why = f"{leaf.path} = {provenance[0].value!r} comes from {provenance[0].where}, not from the request"
        return Decision(call.id, call.tool, "ask", reason, why, provenance)
    cleaned, removed = _cleaned(arguments, "", tool, context.intent, None)
    if removed:
        places = tuple(_provenance(_Leaf(path, Role.CONTENT, value), context) for path, value in removed)
        why = f"the payload carried {len(removed)} addresses or links that the request does not name"
        text = json.dumps(cleaned, ensure_ascii=False)
        return Decision(call.id, call.tool, "rewrite", "payload-active-content", why, places, text)
    return Decision(call.id, call.tool, "allow", "anchored", "asked for, and every target is named in the request")


def _leaves(node: Any, tool: Tool, path: str = "", role: Role | None = None) -> Iterator[_Leaf]:
    if isinstance(node, dict):
        for key, value in node.items():
            inner = _inner(tool, key, role)
            if role is not None and inner is role:
                yield _Leaf(path, role, key)  # below an argument, names are data too
            yield from _leaves(value, tool, f"{path}.{key}" if path else key, inner)
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from _leaves(value, tool, f"{path}[{number}]", role)
    else:
        yield _Leaf(path, role or Role.TARGET, node)


def _inner(tool: Tool, key: str, role: Role | None) -> Role:
    """Return the role of what stands under `key`: a part of content may be a target, a part of a target is one."""
    return role_of(tool, key) if role in (None, Role.CONTENT, Role.SELECTOR) else role


def _unnamed(leaf: _Leaf, intent: Intent, tool: Tool) -> str:
    """Return why an argument is not covered by the request, or nothing."""
    value = leaf.value
    if value is None or isinstance(value, bool) or value == "":
        return ""
    match leaf.role:
        case Role.TARGET:
            return "" if _names(str(value), intent, tool) else "target-not-anchored"
        case Role.SECRET:
            return "" if stands_in(plain(str(value)), intent.text) else "secret-not-in-request"
        case Role.AMOUNT:
            number = as_number(value)
            known = intent.knows(number) if number is not None else stands_in(plain(str(value)), intent.text)
            return "" if known else "amount-not-known"
        case _:
            return ""


def _names(value: str, intent: Intent, tool: Tool) -> bool:
    kinds = {found.kind for found in values(value)}
    form = canonical("url" if "url" in kinds else "account" if "account" in kinds else "text", value)
    if intent.names(value, form):
        return True
    if tool.effect is not Effect.FETCH:
        return False
    host = canonical_url(value).partition("/")[0].partition("?")[0]  # the user named this site: it may be read
    return "@" not in host and host_form(host) in {name.partition("/")[0] for name in intent.named}


def _cleaned(node: Any, path: str, tool: Tool, intent: Intent, role: Role | None) -> tuple[Any, list[tuple[str, str]]]:
    """Return the arguments without the active content that trusted text does not name, and what was removed.

    Targets, amounts and credentials are left alone: they were judged whole.
    """
    removed: list[tuple[str, str]] = []
    if isinstance(node, dict):
        made = {}
        for key, value in node.items():
            inner = _inner(tool, key, role)
            name, gone = _text_cleaned(key, path, intent) if role is not None else (key, [])
            made[name], more = _cleaned(value, f"{path}.{key}" if path else key, tool, intent, inner)
            removed += gone + more
        return made, removed
    if isinstance(node, list):
        items = []
        for number, value in enumerate(node):
            item, more = _cleaned(value, f"{path}[{number}]", tool, intent, role)
            items.append(item)
            removed += more
        return items, removed
    if isinstance(node, str) and role in (Role.CONTENT, Role.SELECTOR, Role.WHEN):
        return _text_cleaned(node, path, intent)
    return node, removed


def _text_cleaned(text: str, path: str, intent: Intent) -> tuple[str, list[tuple[str, str]]]:
    out, done, removed = "", 0, []
    for found in sorted(values(text), key=lambda value: value.start):
        raw = text[found.start : found.end]
        if not intent.names(raw, found.canonical):
            out += text[done : found.start] + REMOVED
            done = found.end
            removed.append((path, raw))
    return out + text[done:], removed


def _provenance(leaf: _Leaf, context: Seen) -> Provenance:
    value = str(leaf.value)
    shown = "[credential]" if leaf.role is Role.SECRET else value[:_SHOWN]
    needle = plain(value)
    forms = {found.canonical for found in values(value)}
    for text in context.untrusted:
        for number, line in enumerate(text.content.splitlines() or [text.content], 1):
            if (needle and needle in plain(line)) or (forms and forms & {found.canonical for found in values(line)}):
                where = f"{text.origin}, line {number}"
                return Provenance(leaf.path, leaf.role.value, shown, "tool result", where)
    return Provenance(leaf.path, leaf.role.value, shown, "nowhere")


def _no(call: ToolCall, reason: str, why: str) -> Decision:
    return Decision(call.id, call.tool, "block", reason, why)

"""Says for a person why a call was decided as it was: licence, rule, and for each argument what covers it or does not.

Decides nothing: it asks `decide`, and looks at what `decide` looks at.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bartizan.core.messages import ToolCall
from bartizan.policy.anchors import form_of
from bartizan.policy.context import Context
from bartizan.policy.decide import Decision, amounts_in, decide, leaves_of, licence_of, place_of
from bartizan.policy.manifest import Effect, Role, Tool
from bartizan.policy.named import Call, endorsed, unnamed

_SHOWN = 80
_FEW = 8
_CARRIES = {
    Role.CONTENT: "carries no authority; links, addresses and copied text in it are looked at apart",
    Role.SELECTOR: "only selects what is read",
    Role.WHEN: "dates are not checked",
}


@dataclass(frozen=True, slots=True)
class Argument:
    """One value of a call: what it is for, and what covers it (`covered`) or why nothing does."""

    path: str
    role: str
    value: str
    covered: bool
    why: str


@dataclass(frozen=True, slots=True)
class Explained:
    """A decision and what it rests on."""

    decision: Decision
    effect: str
    described: bool
    """Whether the operator described the tool; else everything about it was inferred."""
    licensed: tuple[str, ...]
    """What the user's words ask for."""
    licence: str
    """Who asks for this call: `user`, `document`, `no`, or `not needed`."""
    wanted: str
    """What a request must say to ask for this tool, where its effect alone does not ask for it."""
    rule: str
    """What the operator's rules say, empty when there are none."""
    read: tuple[str, ...]
    """What was read that anybody could have written."""
    arguments: tuple[Argument, ...]


def explain(call: ToolCall, context: Context, now_ns: int = 0) -> Explained:
    """Return why `call` is decided as it is. Total, as `decide` is."""
    decision, arguments = decide(call, context, now_ns), _object(call.arguments)
    tool = context.called(call.tool, arguments)
    leaves = list(leaves_of(arguments, tool))
    judged = tool.effect is not Effect.READ and bool(context.untrusted)
    licence = licence_of(tool, context, leaves) if judged else "not needed"
    rule = ""
    if context.rules is not None:
        tainted = bool(context.untrusted)
        rule = context.rules.permits(context.principal, call.tool, tool.effect.value, arguments, tainted=tainted).why
    asking = Call(call.tool, tool, licence, now_ns)
    shown = tuple(_argument(leaf.path, leaf.role, leaf.value, asking, context) for leaf in leaves) if judged else ()
    return Explained(
        decision,
        tool.effect.value,
        call.tool in context.manifest.tools,
        tuple(sorted(effect.value for effect in context.intent.effects)),
        licence,
        _wanted(tool),
        rule,
        tuple(dict.fromkeys(text.origin for text in context.untrusted)),
        shown,
    )


def lines(one: Explained) -> Iterator[str]:
    """Yield an explanation as people read it."""
    decision = one.decision
    yield f"{decision.verdict}: {decision.tool} ({decision.reason}): {decision.why}"
    source = "as the manifest says" if one.described else "inferred from its name and schema"
    yield f"  effect: {one.effect}, {source}"
    if one.rule:
        yield f"  operator's rules: {one.rule}"
    if one.licence == "not needed":
        yield "  licence: not needed: it only reads, or nothing was read that a stranger could have written"
    else:
        who = {"user": "the user asks for it", "document": "a document asks for it that the user said to follow"}
        yield f"  licence: {who.get(one.licence, 'nobody asks for it')} (the request asks for: {_listed(one.licensed)})"
        if one.licence == "no" and one.wanted:
            yield f"  it would have to say: {one.wanted}"
    if one.read:
        yield f"  read: {_listed(one.read)}"
    for argument in one.arguments:
        mark = "+" if argument.covered else "-"
        yield f"  {mark} {argument.path} = {argument.value} ({argument.role}): {argument.why}"


def _wanted(tool: Tool) -> str:
    acts = f"a word for it ({', '.join(tool.acts[:_FEW])}{', …' if len(tool.acts) > _FEW else ''})" if tool.acts else ""
    things = f"what it acts on ({', '.join(tool.objects)})" if tool.objects else ""
    return ", and ".join(part for part in (acts, things) if part)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "nothing"


def _argument(path: str, role: Role, value: Any, asking: Call, context: Context) -> Argument:
    shown = "[credential]" if role is Role.SECRET else str(value)[:_SHOWN]
    missing = unnamed(path, role, value, asking, context, amounts_in(context) if role is Role.AMOUNT else ())
    if missing is not None:
        where = place_of(str(value), context)[0] or missing.where
        found = f"stands in {where}, not in the request" if where else "stands nowhere in what was asked or read"
        ask = "a person may be asked" if missing.askable else "the request does not point at it"
        return Argument(path, role.value, shown, False, f"{missing.reason}: {found}; {ask}")
    return Argument(path, role.value, shown, True, _covering(role, str(value), asking, context))


def _covering(role: Role, value: str, asking: Call, context: Context) -> str:
    if role in _CARRIES:
        return _CARRIES[role]
    form, intent = form_of(value), context.intent
    if value in asking.tool.targets:
        return "the manifest permits it always"
    if intent.names(value, form):
        return "the user names it"
    if endorsed(form, asking.tool.effect, asking.now_ns, context):
        return "a person has endorsed it"
    for anchor in context.anchors.found.get(form, ()):
        return f"the request points at it by {anchor.by!r}, in {anchor.where}"
    if intent.told_of(value, form):
        return "the system's text names it"
    return "named by words of the request, or follows from what it points at"


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}

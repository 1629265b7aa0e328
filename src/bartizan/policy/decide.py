"""The decision procedure for one tool call: deterministic, from the messages alone, no model asked.

Promise: once anything was read that somebody else could have written, no side effect happens unless its class is
licensed by what the user asked, every argument that carries authority is named by the user or by a record that the
request points at, and the payload carries no address or link that nobody named. A value found nowhere is named by
nobody, so encodings do not help. Covers calls only: a model that lies in its answer, or picks the wrong of two named
values, is not stopped.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

from bartizan.core.messages import ToolCall
from bartizan.policy.anchors import DELEGABLE, form_of, forms_in
from bartizan.policy.context import Context
from bartizan.policy.endorsements import digest
from bartizan.policy.manifest import IRREVERSIBLE, OUTWARD, Effect, Role, Tool, properties
from bartizan.policy.named import Call, Unnamed, endorsed, speaks_of_links, unnamed
from bartizan.policy.payload import CARRIED, REMOVED, cleaned, inner_role, leak
from bartizan.policy.phrases import telling
from bartizan.policy.values import numbers, plain, values

__all__ = ["REMOVED", "Decision", "Provenance", "decide", "settled"]

Word = Literal["allow", "rewrite", "ask", "block"]
_SAYS_ITSELF = frozenset((Effect.PAY, Effect.EXECUTE))
"""Effects whose verb says what is acted on: who says "refund" speaks of money."""
_CALLED = ("title", "subject", "summary", "label")
"""Arguments that say what a thing is to be called: who says "book it as 'Roadmap sync'" names it."""
_MOST_LEAVES = 2000
_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the value of an argument was found: a named tool result, or `nowhere`. `document` is its digest."""

    argument: str
    role: str
    value: str
    found: str
    where: str = ""
    document: str = ""


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
class Leaf:
    """One value of a call's arguments: its path, what it is for, itself."""

    path: str
    role: Role
    value: Any


def decide(call: ToolCall, context: Context, now_ns: int = 0, approved: frozenset[str] = frozenset()) -> Decision:
    """Return what happens to `call`. Total: whatever the model wrote gets a decision. `now_ns` ends endorsements.

    `approved` are the reasons for which a person was asked about exactly this call and said yes: the call is judged on
    without them, and what is blocked stays blocked.
    """
    if context.tools and call.tool not in context.tools:
        return _no(call, "tool-not-offered", f"the tool {call.tool[:80]!r} was not offered in this request")
    try:
        arguments = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        return _no(call, "bad-arguments", "the arguments are not a JSON object")
    tool = context.called(call.tool, arguments)
    if any(next(values(name), None) for name in arguments):
        return _no(call, "bad-arguments", "the name of an argument is an address or a link")
    offered = properties(context.tools[call.tool].schema) if call.tool in context.tools else {}
    strange = next((name for name in arguments if offered and name not in offered), None)
    if strange is not None:
        return _no(call, "argument-not-offered", f"the tool has no argument {strange[:80]!r}")
    if context.rules is not None:
        tainted = bool(context.untrusted)
        permitted = context.rules.permits(context.principal, call.tool, tool.effect.value, arguments, tainted=tainted)
        if not permitted.allowed:
            return _no(call, "not-permitted", f"the operator's rules: {permitted.why}")
    leaves = list(leaves_of(arguments, tool))
    if len(leaves) > _MOST_LEAVES:
        return _no(call, "bad-arguments", f"more than {_MOST_LEAVES} values in the arguments")
    if tool.effect is Effect.READ:
        return Decision(call.id, call.tool, "allow", "read-only", "the tool only reads")
    if not context.untrusted:
        return Decision(
            call.id, call.tool, "allow", "not-tainted", "nothing that a stranger could have written was read"
        )
    licence = licence_of(tool, context, leaves)
    if licence == "no":
        return _no(call, "effect-not-licensed", f"the request does not ask to {tool.effect.value}")
    return _Judging(call, context, tool, licence, now_ns, approved).judged(arguments, leaves)


def settled(decision: Decision, call: ToolCall, context: Context) -> frozenset[str]:
    """Return the values of an allowed call that were judged one by one: its targets; all of it if a person saw it.

    Nobody else need doubt them: an account that the call may pay into is no leak of an account.
    """
    if decision.reason not in ("anchored", "endorsed", "approved"):
        return frozenset()
    seen = decision.reason == "approved"
    arguments = json.loads(call.arguments or "{}")
    leaves = leaves_of(arguments, context.called(call.tool, arguments))
    return frozenset(str(leaf.value) for leaf in leaves if seen or leaf.role is Role.TARGET)


def licence_of(tool: Tool, context: Context, leaves: Sequence[Leaf]) -> str:
    """Return who asks for this effect: `user`, a document that the user said to follow (`document`), or `no`.

    A verb alone is not enough: the request must speak of what the tool acts on, or name a target of the call.
    """
    if tool.effect is Effect.FETCH:
        return "user"
    targets = [
        str(leaf.value)
        for leaf in leaves
        if leaf.role is Role.TARGET and leaf.value and (tool.named_by is None or leaf.path in tool.named_by)
    ]
    called = [str(leaf.value) for leaf in leaves if leaf.path in _CALLED]
    for asker, intent in (("user", context.intent), ("document", context.anchors.followed)):
        if intent is None or not (intent.asks(tool.acts) if tool.acts else tool.effect in intent.effects):
            continue
        of_it = not tool.objects or any(intent.says(word) for word in tool.objects)
        if of_it or (tool.effect in _SAYS_ITSELF and not tool.objects_only):
            return asker
        if tool.objects_only:
            continue
        if any(
            (intent.names(value, form_of(value)) and telling(value)) or form_of(value) in context.anchors.found
            for value in targets
        ):
            return asker
        if any(intent.quotes(value) for value in called):
            return asker
    return "no"


@dataclass(frozen=True, slots=True)
class _Judging:
    call: ToolCall
    context: Context
    tool: Tool
    licence: str
    now_ns: int
    approved: frozenset[str] = frozenset()

    def judged(self, arguments: dict[str, Any], leaves: Sequence[Leaf]) -> Decision:
        """Return the decision on a call whose effect is licensed: its arguments, its repetition, its payload."""
        asking = Call(self.call.tool, self.tool, self.licence, self.now_ns)
        amounts = amounts_in(self.context) if any(leaf.role is Role.AMOUNT for leaf in leaves) else frozenset()
        found = [
            (leaf, why)
            for leaf in leaves
            if (why := unnamed(leaf.path, leaf.role, leaf.value, asking, self.context, amounts)) is not None
        ]
        provenance = tuple(self._provenance(leaf, why) for leaf, why in found)
        for (leaf, why), place in zip(found, provenance, strict=True):
            if not why.askable:
                return self._said("block", why.reason, self._sentence(leaf, why, place), provenance)
        if found and found[0][1].reason not in self.approved:
            (leaf, why), place = found[0], provenance[0]
            return self._said("ask", why.reason, self._sentence(leaf, why, place), provenance)
        if self.licence == "document" and self.tool.effect not in DELEGABLE and "document-asks" not in self.approved:
            return self._said("ask", "document-asks", f"a document asks to {self.tool.effect.value}, the user did not")
        again = self.tool.effect in IRREVERSIBLE and self.context.ran.get(self.call.tool, 0) > 0
        if again and not self.context.intent.plural and "repeated" not in self.approved:
            return self._said("ask", "repeated", f"{self.call.tool} ran before, and the request asks for it once")
        return self._payload(arguments, leaves)

    def _payload(self, arguments: dict[str, Any], leaves: Sequence[Leaf]) -> Decision:
        outward = self.tool.effect in OUTWARD or any(
            leaf.role is Role.TARGET and next(values(str(leaf.value)), None) for leaf in leaves
        )
        if outward:
            carried = [str(leaf.value) for leaf in leaves if leaf.role in CARRIED and isinstance(leaf.value, str)]
            why = leak(carried, self.context)
            if why:
                return self._said("block", "payload-dump", why)
        made, removed = cleaned(arguments, "", self.tool, self.context)
        if not removed and self.approved:
            return self._said("allow", "approved", "a person has said yes to this call")
        if not removed:
            return self._said("allow", "anchored", "asked for, and every target is named in the request")
        places = tuple(self._provenance(Leaf(path, Role.CONTENT, value), None) for path, value in removed)
        if outward:
            return self._carried(removed, places)
        why = f"the payload carried {len(removed)} addresses, links or opaque runs that the request does not name"
        text = json.dumps(made, ensure_ascii=False)
        return Decision(self.call.id, self.call.tool, "rewrite", "payload-active-content", why, places, text)

    def _carried(self, removed: Sequence[tuple[str, str]], places: tuple[Provenance, ...]) -> Decision:
        """A link nobody named on its way to somebody: asked when it stands in what the user points at, else stopped."""
        pointed = forms_in(self.context.anchors.pointed)
        effect = self.tool.effect
        unsaid = [value for _, value in removed if not endorsed(form_of(value), effect, self.now_ns, self.context)]
        known = self.licence == "user" and all(form_of(value) in pointed for value in unsaid)
        known = known and speaks_of_links(self.context)
        if not unsaid:
            return self._said("allow", "endorsed", "a person has said yes to what the payload carries")
        if known and "payload-active-content" in self.approved:
            return self._said("allow", "approved", "a person has said yes to this call")
        why = f"the payload carries {unsaid[0][:_SHOWN]!r}, which the request does not name: leave it out"
        return self._said("ask" if known else "block", "payload-active-content", why, places)

    def _said(self, verdict: Word, reason: str, why: str, provenance: tuple[Provenance, ...] = ()) -> Decision:
        return Decision(self.call.id, self.call.tool, verdict, reason, why, provenance)

    def _sentence(self, leaf: Leaf, why: Unnamed, place: Provenance) -> str:
        if leaf.role is Role.SECRET:
            return f"{leaf.path} is a credential that the user did not write"
        if place.found == "nowhere" and not why.where:
            return f"{leaf.path} = {place.value!r} is not in the request, nor anywhere else that was read"
        pointed = "" if why.askable else ", which the request does not point at"
        return f"{leaf.path} = {place.value!r} comes from {place.where or why.where}, not from the request{pointed}"

    def _provenance(self, leaf: Leaf, why: Unnamed | None) -> Provenance:
        value = str(leaf.value)
        shown = "[credential]" if leaf.role is Role.SECRET else value[:_SHOWN]
        where, text = place_of(value, self.context)
        found = "tool result" if where or (why is not None and why.where) else "nowhere"
        document = digest(text) if text else ""
        return Provenance(leaf.path, leaf.role.value, shown, found, where or (why.where if why else ""), document)


def amounts_in(context: Context) -> frozenset[Decimal]:
    """Return the numbers in the texts that the request points at."""
    return frozenset(number for text in context.anchors.pointed for number in numbers(text.content))


@lru_cache(maxsize=1024)
def _plain_of(text: str) -> str:
    """Return `plain(text)`; the same results are searched for every call of a conversation."""
    return plain(text)


def place_of(value: str, context: Context) -> tuple[str, str]:
    """Return the first line of what was read that holds a value, however it is written, and the text; else nothing."""
    needle = plain(value)
    forms = {found.canonical for found in values(value)}
    holding = {context.forms[form] for form in forms if form in context.forms}
    for count, text in enumerate(context.untrusted):
        if count not in holding and (forms or needle not in _plain_of(text.content)):
            continue
        for number, line in enumerate(text.content.splitlines() or [text.content], 1):
            if (needle and needle in plain(line)) or (forms and forms & {found.canonical for found in values(line)}):
                return f"{text.origin}, line {number}", text.content
    return "", ""


def leaves_of(node: Any, tool: Tool, path: str = "", role: Role | None = None) -> Iterator[Leaf]:
    """Yield every value of a call's arguments; below an argument, names are values too."""
    if isinstance(node, dict):
        for key, value in node.items():
            inner = inner_role(tool, key, role)
            if role is not None and inner is role:
                yield Leaf(path, role, key)  # below an argument, names are data too
            yield from leaves_of(value, tool, f"{path}.{key}" if path else key, inner)
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from leaves_of(value, tool, f"{path}[{number}]", role)
    else:
        yield Leaf(path, role or Role.TARGET, node)


def _no(call: ToolCall, reason: str, why: str) -> Decision:
    return Decision(call.id, call.tool, "block", reason, why)

"""Is the value of an argument covered by the request? By the user's words, by what they point at, or by a person's yes.

`unnamed` returns None when it is, else why not, and whether a person may be asked: only about values that stand in what
the request points at. What stands nowhere, or in a text that nobody pointed at, is never asked.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bartizan.policy.anchors import form_of
from bartizan.policy.context import Context
from bartizan.policy.endorsements import digest
from bartizan.policy.intent import tokens
from bartizan.policy.manifest import OUTWARD, Effect, Role, Tool, singular, words_of
from bartizan.policy.phrases import part_named
from bartizan.policy.values import as_number, canonical_url, hides, host_form, plain, stands_in, values

_MOMENT = re.compile(r"\d{4}-\d\d(?:-\d\d(?:[T ][\d:.Z+\-]{1,20})?)?|\d\d?:\d\d(?::\d\d)?")
"""A day or a time: dates are not checked."""


_COUNTED = frozenset(
    ("guests", "people", "persons", "adults", "children", "passengers", "travellers", "travelers", "nights", "days")
) | frozenset(("weeks", "months", "years", "hours", "minutes", "rooms", "seats", "beds", "copies", "units", "pieces"))
_LEAST = frozenset(
    ("r", "read", "reader", "read-only", "readonly", "view", "viewer", "private", "normal", "default", "none")
)
"""Settings that give the least: nobody need name them."""


@dataclass(frozen=True, slots=True)
class Call:
    """What an argument belongs to: tool, who asks for the effect, and the time."""

    name: str
    tool: Tool
    licence: str
    now_ns: int = 0


@dataclass(frozen=True, slots=True)
class Unnamed:
    """Why a value is not covered, whether a person may be asked, and where it stands in what is pointed at."""

    reason: str
    askable: bool
    where: str = ""


def unnamed(
    path: str, role: Role, value: Any, call: Call, context: Context, amounts: Iterable[Decimal]
) -> Unnamed | None:
    """Return why an argument is not covered, or None. `amounts` are numbers in texts that are pointed at."""
    if role is not Role.SECRET and (value is None or isinstance(value, bool) or value == ""):
        return None
    match role:
        case Role.TARGET if not (_counts(path) and as_number(value) is not None):
            return _target(path, str(value), call, context)
        case Role.SECRET:
            known = stands_in(plain(str(value)), context.intent.asked)
            return None if known else Unnamed("secret-not-in-request", askable=False)
        case Role.AMOUNT | Role.TARGET:
            return _amount(value, call, context, amounts)
        case Role.LABEL:
            return _label(str(value), call, context)
        case _:
            return None


def _counts(path: str) -> bool:
    """Return whether a number under this name says how many (`nights`), not which one (`orders`)."""
    return bool(set(words_of(path.rpartition(".")[2])) & _COUNTED)


def _label(value: str, call: Call, context: Context) -> Unnamed | None:
    """A thing is called by words of the request or by names that a system wrote; anything else a person may allow."""
    known = context.intent.tokens + " ".join(tokens(name) for name in context.anchors.known)
    known += context.anchors.followed.tokens if context.anchors.followed is not None else ""
    words = tokens(value).split()
    unknown = [word for word in words if f" {word} " not in known]
    strange = unknown if 2 * len(unknown) > len(words) else [word for word in unknown if len(word) > 3]
    if as_number(value) in context.intent.amounts or _MOMENT.fullmatch(value) or plain(value) in _LEAST:
        strange = []
    strange += [one.canonical for one in values(value) if one.canonical not in context.intent.named]
    if not strange or endorsed(form_of(value), call.tool.effect, call.now_ns, context):
        return None
    return Unnamed("label-not-in-request", askable=True, where="the model's own words")


def _target(path: str, value: str, call: Call, context: Context) -> Unnamed | None:
    if hides(value):
        return Unnamed("target-not-anchored", askable=False)
    form = form_of(value)
    nouns = _nouns(path, call)
    if (
        value in call.tool.targets
        or context.intent.names_one(value, form, nouns)
        or endorsed(form, call.tool.effect, call.now_ns, context)
    ):
        return None
    above = context.intent.told_of(value, form)
    if above and (call.tool.effect not in OUTWARD or context.intent.to_self):
        return None  # what the operator's text names may be read and changed, not written to unless the user says "me"
    followed = call.licence == "document"
    anchored = context.anchors.sure(form, nouns, documents=followed)
    if anchored is not None and anchored.asker != "user" and next(values(value), None) is not None:
        anchored = None  # a document may point at things and names, never at an address of somebody's
    if anchored is not None or (followed and _followed_names(value, context)):
        return None
    if call.tool.effect is Effect.FETCH and (_same_site(value, context) or form in context.anchors.links):
        return None
    if _found_where_told(value, form, call, context) or _colleagues_name(value, call, context):
        return None
    where = context.anchors.touched(form) or _pointed(value, form, call, context)
    return Unnamed("target-not-anchored", bool(where), where)


def _amount(value: Any, call: Call, context: Context, amounts: Iterable[Decimal]) -> Unnamed | None:
    number = as_number(value)
    if number is None:
        known = stands_in(plain(str(value)), context.intent.asked)
        return None if known else Unnamed("amount-not-known", askable=False)
    if call.tool.most is not None and number > Decimal(str(call.tool.most)):
        return Unnamed("amount-above-cap", askable=True, where="the operator's cap")
    if context.intent.knows(number, context.anchors.amounts) or endorsed(
        str(number), call.tool.effect, call.now_ns, context
    ):
        return None
    pointed = frozenset(amounts)
    derived = number in pointed or any(
        number in (one + two, one - two, two - one) for one in pointed for two in context.anchors.amounts
    )
    where = context.anchors.pointed[-1].origin if derived and context.anchors.pointed else ""
    return Unnamed("amount-not-known", bool(where), where)


def _nouns(path: str, call: Call) -> frozenset[str]:
    """Return what a target is, by the name of its argument (`file_id`), else by the name of the tool."""
    argument = re.sub(r"\[\d+\]", "", path).rpartition(".")[2]
    own = {singular(word) for word in words_of(argument)} - {"id", "key", "number", "name", "new"}
    return frozenset(own or {singular(word) for word in words_of(call.name)})


def _followed_names(value: str, context: Context) -> bool:
    """Return whether a followed document names a target by a name that a system wrote: never an address or a link."""
    followed = context.anchors.followed
    known = plain(value) in context.anchors.known and next(values(value), None) is None
    return known and followed is not None and followed.names(value, plain(value))


def _found_where_told(value: str, form: str, call: Call, context: Context) -> bool:
    """Return whether this is the one e-mail address, of a person the user names, where the user says to find it."""
    if not context.intent.finds_address or call.tool.effect not in (Effect.SHARE, Effect.SEND) or "@" not in value:
        return False
    told = [one for text in context.anchors.pointed for one in values(text.content) if one.kind == "mail"]
    named = {one.canonical for one in told if part_named(one.canonical, context.intent)}
    return named == {form}


def _colleagues_name(value: str, call: Call, context: Context) -> bool:
    """Return whether the user's own people name a thing (no address, no link) in a record that the user names."""
    if call.tool.effect not in (Effect.SHARE, Effect.WRITE) or next(values(value), None) is not None:
        return False
    return any(stands_in(plain(value), plain(text.content)) for text in context.anchors.internal)


def endorsed(form: str, effect: Effect, now_ns: int, context: Context) -> bool:
    """Return whether a person has said yes to a value, or to a document it stands in, for this effect."""
    if not context.endorsed:
        return False
    held = frozenset(
        digest(text.content)
        for text in context.untrusted
        if plain(form) in plain(text.content) or form in {one.canonical for one in values(text.content)}
    )
    return any(one.covers(effect, form, held, now_ns) for one in context.endorsed)


def _same_site(value: str, context: Context) -> bool:
    host = canonical_url(value).partition("/")[0].partition("?")[0]  # the user named this site: it may be read
    return "@" not in host and host_form(host) in {name.partition("/")[0] for name in context.intent.named}


def _pointed(value: str, form: str, call: Call, context: Context) -> str:
    """Return where a value stands in a text that the request points at, if the request leaves this target open.

    Only addresses, links and accounts are asked about: a bare name in a stranger's text is nobody's. A request that
    names one of a kind has said which; a link is opened on a person's yes only when the request speaks of links.
    """
    kind = next((one.kind for one in values(value)), "")
    if not kind or any(one.kind == kind for one in values(context.intent.asked)):
        return ""
    if call.tool.effect is Effect.FETCH and not speaks_of_links(context):
        return ""
    for text in context.anchors.pointed:
        if any(one.canonical == form for one in values(text.content)):
            return text.origin
    return ""


def speaks_of_links(context: Context) -> bool:
    """Return whether the user speaks of links."""
    return any(context.intent.says(word) for word in ("link", "url", "website", "webpage"))

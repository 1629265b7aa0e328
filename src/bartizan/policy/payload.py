"""What a licensed call carries along: links and addresses nobody named, opaque runs, secrets, dumps of what was read.

Links, addresses, accounts and opaque runs are cut out; a dump or a secret is a reason to stop. A paraphrase of what was
read is not recognised.
"""

import re
from typing import Any

from bartizan.policy.anchors import form_of
from bartizan.policy.context import Context, runs_of
from bartizan.policy.inference import role_of
from bartizan.policy.manifest import Role, Tool
from bartizan.policy.values import hides, plain, unhidden, values

REMOVED = "[removed: not in the request]"
_OPAQUE = re.compile(r"[A-Za-z0-9+/=_\-]{80,}")
"""A run this long without a blank is no word: it is data that was encoded."""
_MOST_RUNS = 3
"""Runs of a read text that a payload may hold: ten words in a row may be a title."""
CARRIED = frozenset((Role.CONTENT, Role.SELECTOR, Role.WHEN))


def inner_role(tool: Tool, key: str, role: Role | None) -> Role:
    """Return the role of what stands under `key`: a part of content may be a target, a part of a target is one."""
    if role not in (None, Role.CONTENT, Role.SELECTOR):
        return role
    inner = role_of(tool, key)
    return role if role is not None and inner is Role.LABEL else inner


def cleaned(
    node: Any, path: str, tool: Tool, context: Context, role: Role | None = None
) -> tuple[Any, list[tuple[str, str]]]:
    """Return arguments without the active content that the request does not name, and what was removed.

    Targets, amounts and credentials are left alone: they were judged whole.
    """
    removed: list[tuple[str, str]] = []
    if isinstance(node, dict):
        made = {}
        for key, value in node.items():
            name, gone = _text_cleaned(key, path, context) if role is not None else (key, [])
            made[name], more = cleaned(
                value, f"{path}.{key}" if path else key, tool, context, inner_role(tool, key, role)
            )
            removed += gone + more
        return made, removed
    if isinstance(node, list):
        items = []
        for number, value in enumerate(node):
            item, more = cleaned(value, f"{path}[{number}]", tool, context, role)
            items.append(item)
            removed += more
        return items, removed
    if isinstance(node, str) and role in CARRIED:
        return _text_cleaned(node, path, context)
    return node, removed


def leak(texts: list[str], context: Context) -> str:
    """Return why texts must not go out: a secret, or a dump of what was read and not asked for. Empty when they may."""
    whole = "\n".join(texts)
    for secret in context.anchors.secrets:
        if secret in whole and secret not in context.intent.asked:
            return "the payload holds a field that must not leave"
    found = [(run, context.runs[run]) for text in texts for run in runs_of(text) if run in context.runs]
    if len(found) <= _MOST_RUNS:
        return ""
    pointed = {run for text in context.anchors.pointed for run in runs_of(text.content)}
    dumped = [number for run, number in found if run not in pointed]
    if len(dumped) <= _MOST_RUNS:
        return ""
    return f"the payload repeats {context.untrusted[dumped[0]].origin}, which the request does not ask to pass on"


def _text_cleaned(text: str, path: str, context: Context) -> tuple[str, list[tuple[str, str]]]:
    text = unhidden(text) if hides(text) else text
    spans = [(one.start, one.end) for one in values(text) if not _may_stand(text[one.start : one.end], context)]
    for match in _OPAQUE.finditer(text):
        known = plain(match[0]) in context.intent.asked
        if not known and not any(start < match.end() and end > match.start() for start, end in spans):
            spans.append(match.span())
    out, done, removed = "", 0, []
    for start, end in sorted(spans):
        out += text[done:start] + REMOVED
        done = end
        removed.append((path, text[start:end]))
    return out + text[done:], removed


def _may_stand(raw: str, context: Context) -> bool:
    form = form_of(raw)
    intent = context.intent
    return intent.names(raw, form) or intent.told_of(raw, form) or context.anchors.sure(form, frozenset()) is not None

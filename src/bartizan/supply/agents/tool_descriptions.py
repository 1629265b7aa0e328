"""Judges the descriptions of tools, as an MCP server lists them: poisoning, shadowing, and rights without bounds.

A description is read by the model as instructions. It has no need to speak of other tools, of files that its tool does
not take, of what the user must not see.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import re2

from bartizan.core.display import visible
from bartizan.core.findings import Finding, Severity
from bartizan.supply.agents.instructions import instruction_findings
from bartizan.supply.agents.skills import intent
from bartizan.supply.base import Scanned, judged, unreadable

_DEPTH = 40
_FIRST = re2.compile(
    r"(?i)\b(?:before|prior to|instead of|whenever|every time|after|when) (?:you )?(?:use|using|"
    r"call|calling|invoke|invoking|run|running)\b"
    r"[^.\n]{0,40}\b(?:any|all|other|another|every|this|the)\b[^.\n]{0,30}\b(?:tool|function|server)|"
    r"\b(?:must|always) (?:be )?(?:call|called|use|used|invoke|run)\b[^.\n]{0,30}\b(?:first|"
    r"before)\b[^.\n]{0,40}\b(?:any|all|other|every)\b"
)
_READS = re2.compile(
    r"(?i)\b(?:read|open|load|fetch|cat|access|include|retrieve|get|attach|copy)\b[^.\n]{0,"
    r"60}(?:~/|\.ssh|\.env\b|mcp\.json|id_rsa|credentials?\b|"
    r"private key|\.aws|/etc/|\.cursor/|conversation|chat history|system prompt)[^.\n]{0,"
    r"200}\b(?:pass|as|into|in|to)\b"
)
_SCHEMAS = frozenset({"inputSchema", "input_schema", "parameters"})
_ANYTHING = frozenset({"command", "cmd", "shell", "script", "code", "eval", "expression"})


def tools_of(tree: object) -> list[dict[str, Any]] | None:
    """Return the tools in a `tools/list` result, a list of tools, or several servers' lists; None for other JSON."""
    if isinstance(tree, dict):
        for key in ("tools", "result"):
            inner = tools_of(tree.get(key))
            if inner is not None:
                return inner
        return None
    if isinstance(tree, list) and tree and all(isinstance(one, dict) for one in tree):
        plain = [one.get("function", one) for one in tree]
        if all(isinstance(one, dict) and isinstance(one.get("name"), str) for one in plain) and any(
            (_SCHEMAS | {"description"}) & set(one) for one in plain
        ):
            return plain
    return None


def scan_tools(text: str, path: str) -> Scanned | None:
    """Return the result for a list of tools, or None for any other JSON.

    Descriptions instruct a model, so a person reads them once. A bare list of names and descriptions without a schema
    may be anything: it is judged, and not sent to review for that alone.
    """
    if '"name"' not in text or "escription" not in text:
        return None
    try:
        tree = json.loads(text)
        tools = tools_of(tree)
    except (ValueError, RecursionError):
        return None
    if tools is None:
        return None
    found = tool_findings(tools, path)
    if isinstance(tree, dict) or any(_SCHEMAS & set(tool) for tool in tools):
        return judged(path, "tool descriptions", [*found, intent(path)])
    return judged(path, "tool descriptions", [one for one in found if one.rule != "odd-tool-name"])


def tool_findings(tools: list[dict[str, Any]], path: str) -> list[Finding]:
    """Return what is wrong with a set of tools that one agent gets."""
    found: list[Finding] = []
    names = [str(tool.get("name", "")) for tool in tools]
    for name in sorted({name for name in names if names.count(name) > 1}):
        why = f"two tools are called {visible(name)}: one can take the other's calls"
        found.append(Finding("shadowed-tool", Severity.HIGH, why, path))
    for tool, name in zip(tools, names, strict=True):
        where = f"{path}#{visible(name)[:60]}"
        try:
            texts = list(_texts(tool, 0))
        except RecursionError:
            found.append(unreadable("a description that is nested too deep", where))
            continue
        others = [other for other in set(names) - {name} if len(other) >= 4]
        for text in texts:
            found += [_raised(one) for one in instruction_findings(text, where)]
            found += _of_description(text, others, where)
        if not re.fullmatch(r"[\w./:-]{1,128}", name):
            found.append(Finding("odd-tool-name", Severity.MEDIUM, f"a tool called {visible(name)[:80]!r}", where))
        found += _rights(tool, where)
    return list({(one.rule, one.severity, one.why, one.where): one for one in found}.values())


def _raised(one: Finding) -> Finding:
    """A tool's description has no business with what a guide may well mention."""
    if one.severity is Severity.MEDIUM and one.rule in ("instruction-override", "concealment", "remote-execution"):
        return Finding(one.rule, Severity.HIGH, one.why, one.where)
    return one


def _texts(tree: object, depth: int) -> Iterator[str]:
    """Yield every text in a tool: models are given titles, defaults and names of parameters as well."""
    if depth > _DEPTH:
        raise RecursionError
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, dict):
        for key, inner in tree.items():
            yield str(key)
            yield from _texts(inner, depth + 1)
    elif isinstance(tree, list):
        for inner in tree:
            yield from _texts(inner, depth + 1)


def _of_description(text: str, others: list[str], where: str) -> Iterator[Finding]:
    if _READS.search(text):
        why = f"has the model read something that is not this tool's: {visible(' '.join(text.split()))[:120]}"
        yield Finding("tool-poisoning", Severity.HIGH, why, where)
    if _FIRST.search(text):
        why = f"gives orders about other tools: {visible(' '.join(text.split()))[:120]}"
        yield Finding("tool-shadowing", Severity.MEDIUM, why, where)
    for other in others:
        pattern = (
            rf"(?i)\b(?:instead of|rather than|when (?:you )?(?:call|us)\w*|before|behaviou?r of|"
            rf"change\w* how|redirect\w*)\b[^.\n]{{0,60}}\b{re2.escape(other)}\b[^.\n]{{0,200}}\b(?:must|"
            rf"always|recipient|bcc|also|attacker|address|send|secretly)\b"
        )
        if other in text and re2.search(pattern, text):
            why = f"changes how {visible(other)} is to be used: {visible(' '.join(text.split()))[:120]}"
            yield Finding("tool-shadowing", Severity.HIGH, why, where)
            return


def _rights(tool: dict[str, Any], where: str) -> Iterator[Finding]:
    schema = tool.get("inputSchema") or tool.get("input_schema") or tool.get("parameters")
    properties = schema.get("properties") if isinstance(schema, dict) else None
    for name, about in properties.items() if isinstance(properties, dict) else ():
        bounded = isinstance(about, dict) and any(key in about for key in ("enum", "pattern", "const"))
        if str(name).lower() in _ANYTHING and not bounded:
            yield Finding(
                "over-broad", Severity.INFO, f"takes any {visible(str(name))}: keep a policy on its calls", where
            )

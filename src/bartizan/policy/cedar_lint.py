"""Finds mistakes in the operator's rules: inverted tests, swapped fields, rules that never count, tools without a rule.

Works on Cedar's own JSON form of the rules, and on the tools that the manifest describes. Says nothing about whether
the rules are what the operator wants.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import cedarpy

from bartizan.policy.inference import role_of
from bartizan.policy.manifest import Manifest, Role, Tool

_COMPARE = ("==", "!=", "<", "<=", ">", ">=")


@dataclass(frozen=True, slots=True)
class Mistake:
    """One suspicion: which rule (or tool), a word for machines, a sentence."""

    rule: str
    kind: str
    why: str


def lint(text: str, manifest: Manifest) -> list[Mistake]:
    """Return what looks wrong with rules that parse, given the tools that the manifest describes."""
    rules = json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"]
    found: list[Mistake] = []
    for name, rule in rules.items():
        found += _inverted(name, rule)
        found += _fields(name, rule, manifest)
    found += _unreachable(rules)
    for tool, about in manifest.tools.items():
        if not any(rule["effect"] == "permit" and _covers(rule, tool, about) for rule in rules.values()):
            found.append(Mistake(tool, "tool-without-rule", f"no rule can permit the tool {tool!r}: it never runs"))
    return found


def _inverted(name: str, rule: Mapping[str, Any]) -> Iterator[Mistake]:
    """A permit that wants a stranger's text to have been read, or a forbid that wants none to."""
    for wanted in _tainted(rule):
        if wanted == (rule["effect"] == "permit"):
            state = "was read" if wanted else "was not read"
            yield Mistake(name, "inverted-test", f"this {rule['effect']} asks that a stranger's text {state}")


def _tainted(rule: Mapping[str, Any]) -> Iterator[bool]:
    for condition in rule["conditions"]:
        yield from _signs(condition["body"], condition["kind"] == "when")


def _signs(node: Any, sign: bool) -> Iterator[bool]:
    """Yield, for each mention of context.tainted, whether the condition wants it true."""
    if not isinstance(node, dict):
        return
    if node.get(".", {}).get("attr") == "tainted":
        yield sign
        return
    if "!" in node:
        yield from _signs(node["!"]["arg"], not sign)
        return
    for operator, parts in node.items():
        values = [parts[side].get("Value") for side in ("left", "right")] if operator in ("==", "!=") else []
        flip = (False in values) != (operator == "!=") if True in values or False in values else False
        for part in parts.values() if isinstance(parts, dict) else ():
            yield from _signs(part, sign != flip)


def _fields(name: str, rule: Mapping[str, Any], manifest: Manifest) -> Iterator[Mistake]:
    """Arguments that none of the rule's tools has, and values that are not of an argument's kind."""
    tools = {tool: about for tool, about in manifest.tools.items() if _covers(rule, tool, about) and about.arguments}
    if not tools:
        return
    for argument, value in _compared([condition["body"] for condition in rule["conditions"]]):
        having = [about for about in tools.values() if argument in about.arguments]
        if not having:
            yield Mistake(name, "unknown-argument", f"none of {', '.join(sorted(tools))} has an argument {argument!r}")
        elif value is not None and all(_swapped(about, argument, value) for about in having):
            role = role_of(having[0], argument).value
            yield Mistake(name, "swapped-fields", f"{argument!r} is a {role} and is compared with {value!r}")


def _swapped(tool: Tool, argument: str, value: Any) -> bool:
    number = isinstance(value, int) and not isinstance(value, bool)
    role = role_of(tool, argument)
    return number if role is Role.TARGET else isinstance(value, str) if role is Role.AMOUNT else False


def _compared(node: Any) -> Iterator[tuple[str, Any]]:
    """Yield each argument that is mentioned, with the literal it is compared with, if any."""
    if isinstance(node, list):
        for part in node:
            yield from _compared(part)
    elif isinstance(node, dict):
        for operator, parts in node.items():
            sides = [parts["left"], parts["right"]] if operator in _COMPARE else []
            for one, other in zip(sides, reversed(sides), strict=True):
                if (argument := _argument(one)) and isinstance(other, dict) and "Value" in other:
                    yield argument, other["Value"]
            if argument := _argument({operator: parts}):
                yield argument, None
            yield from _compared(list(parts.values()) if isinstance(parts, dict) else parts)


def _argument(node: Any) -> str:
    """Return X of `context.arguments.X` or `context.arguments has X`."""
    for operator in (".", "has"):
        part = node.get(operator) if isinstance(node, dict) else None
        if isinstance(part, dict) and part.get("left", {}).get(".", {}).get("attr") == "arguments":
            return str(part["attr"])
    return ""


def _unreachable(rules: Mapping[str, Any]) -> Iterator[Mistake]:
    """A permit whose whole scope an unconditional forbid takes away, and a rule that repeats another."""
    seen: dict[str, str] = {}
    for name, rule in rules.items():
        form = json.dumps(rule, sort_keys=True)
        if form in seen:
            yield Mistake(name, "unreachable-rule", f"says the same as {seen[form]}")
        seen.setdefault(form, name)
        for other_name, other in rules.items():
            taken = other["effect"] == "forbid" and not other["conditions"]
            if rule["effect"] == "permit" and taken and all(_within(rule[part], other[part]) for part in _SCOPE):
                yield Mistake(name, "unreachable-rule", f"{other_name} forbids all that it permits")


_SCOPE = ("principal", "action", "resource")


def _within(inner: Mapping[str, Any], outer: Mapping[str, Any]) -> bool:
    """Return whether one scope lies in another."""
    return outer["op"] == "All" or (inner["op"] != "All" and _ids(inner) <= _ids(outer))


def _ids(scope: Mapping[str, Any]) -> set[str]:
    entities = scope.get("entities") or [scope.get("entity") or {}]
    return {str(entity.get("id")) for entity in entities}


def _covers(rule: Mapping[str, Any], tool: str, about: Tool) -> bool:
    """Return whether a rule's scope holds a tool with its effect."""
    action, resource = rule["action"], rule["resource"]
    return (action["op"] == "All" or about.effect.value in _ids(action)) and (
        resource["op"] == "All" or tool in _ids(resource)
    )

"""Reads Cedar's JSON form of a rule: what its scope holds, and what its conditions test, each with its sign.

A test under a `!`, or in an `unless`, is given as its opposite: what must hold for the rule to count. Says nothing
about how tests are joined, except for `conjuncts`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bartizan.policy.manifest import Effect, Tool

_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<", "in": "not in", "like": "not like"}
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_PART = re.compile(r'//[^\n]*|"(?:[^"\\]|\\.)*"|\s+|.', re.DOTALL)
TYPES = {"principal": "User", "action": "Action", "resource": "Tool"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """An argument of the call (or `context.tainted`, under the name ``) must be `operator` `value`."""

    argument: str
    operator: str
    value: Any


def comparisons(rule: Mapping[str, Any]) -> Iterator[Comparison]:
    """Yield every test of a rule's conditions that compares an argument, or context.tainted, with a literal."""
    for condition in rule["conditions"]:
        yield from _of(condition["body"], condition["kind"] == "when")


def conjuncts(rule: Mapping[str, Any]) -> Iterator[Comparison | bool]:
    """Yield the tests that must all hold, and literals that stand in their place."""
    for condition in rule["conditions"]:
        yield from _all_of(condition["body"], condition["kind"] == "when")


def reads(node: Any) -> Iterator[tuple[str, str]]:
    """Yield `.` or `has`, and the argument of the call that it reads."""
    if isinstance(node, dict):
        for operator in (".", "has"):
            if (name := _argument(node, operator)) is not None:
                yield operator, name
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from reads(part)


def attributes(node: Any) -> Iterator[str]:
    """Yield the attributes of the context that are read."""
    if isinstance(node, dict):
        part = node.get(".") or node.get("has")
        if isinstance(part, dict) and part.get("left") == {"Var": "context"}:
            yield str(part["attr"])
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from attributes(part)


def ids(scope: Mapping[str, Any]) -> set[str]:
    """Return the entities that a scope names."""
    entities = scope.get("entities") or ([scope["entity"]] if "entity" in scope else [])
    return {str(entity.get("id")) for entity in entities}


def holds_all(scope: Mapping[str, Any]) -> bool:
    """Return whether a scope holds every entity of its kind."""
    return scope["op"] == "All" or (scope["op"] == "is" and "in" not in scope)


def types(scope: Mapping[str, Any]) -> set[str]:
    """Return the types of entity that a scope names."""
    entities = scope.get("entities") or ([scope["entity"]] if "entity" in scope else [])
    named = {str(entity.get("type")) for entity in entities}
    named |= {str(scope["entity_type"])} if "entity_type" in scope else set()
    return named | ({str(scope["in"]["entity"].get("type"))} if isinstance(scope.get("in"), dict) else set())


def within(inner: Mapping[str, Any], outer: Mapping[str, Any]) -> bool:
    """Return whether one scope lies in another."""
    return holds_all(outer) or (not holds_all(inner) and ids(inner) <= ids(outer))


def covers(rule: Mapping[str, Any], tool: str, effect: Effect) -> bool:
    """Return whether a rule's scope holds a tool with its effect."""
    action, resource = rule["action"], rule["resource"]
    return (holds_all(action) or effect.value in ids(action)) and (holds_all(resource) or tool in ids(resource))


def in_scope(rule: Mapping[str, Any], tools: Mapping[str, Tool]) -> dict[str, Tool]:
    """Return the described tools that a rule's scope holds."""
    return {name: about for name, about in tools.items() if covers(rule, name, about.effect)}


def covered(rule: Mapping[str, Any], tools: Mapping[str, Tool]) -> dict[str, Tool]:
    """Return the described tools that a rule's scope holds, and that its conditions do not leave out by name."""
    return {name: about for name, about in in_scope(rule, tools).items() if not _left_out(rule, name, about.effect)}


def _left_out(rule: Mapping[str, Any], tool: str, effect: Effect) -> bool:
    """Return whether the conditions cannot hold for a tool, whatever its arguments."""
    meant = {"resource": ("Tool", tool), "action": ("Action", effect.value)}
    return any(_truth(one["body"], meant) is (one["kind"] != "when") for one in rule["conditions"])


def _truth(node: Any, meant: Mapping[str, tuple[str, str]]) -> bool | None:
    """Return whether a condition holds where resource and action are `meant`; None when that depends on more."""
    match node:
        case {"Value": bool(value)}:
            return value
        case {"!": {"arg": inner}}:
            said = _truth(inner, meant)
            return None if said is None else not said
        case {"&&": parts} | {"||": parts}:
            ends = "||" in node  # what one part says is enough
            said_all = [_truth(part, meant) for part in parts.values()]
            return ends if ends in said_all else None if None in said_all else not ends
        case {"==": {"left": {"Var": name}, "right": other}} | {"in": {"left": {"Var": name}, "right": other}}:
            named = [_entity(one) for one in other.get("Set", [other])]
            return meant[name] in named if name in meant and all(named) else None
        case {"!=": {"left": {"Var": _}} as parts}:
            said = _truth({"==": parts}, meant)
            return None if said is None else not said
        case _:
            return None


def _entity(node: Mapping[str, Any]) -> tuple[str, str] | None:
    match node:
        case {"Value": {"__entity": {"type": str(kind), "id": str(name)}}}:
            return kind, name
        case _:
            return None


def names(text: str) -> dict[str, str]:
    """Return what a person calls each rule of a text that parses (`rule 2 (line 5)`), by Cedar's name of it."""
    found: dict[str, str] = {}
    begun, line = False, 1
    for part in _PART.findall(text):
        if part == ";":
            begun = False
        elif not begun and not part.isspace() and not part.startswith("//"):
            begun = True
            found[f"policy{len(found)}"] = f"rule {len(found) + 1} (line {line})"
        line += part.count("\n")
    return found


def _all_of(node: Any, sign: bool) -> Iterator[Comparison | bool]:
    if isinstance(node, dict) and "!" in node:
        yield from _all_of(node["!"]["arg"], not sign)
    elif isinstance(node, dict) and ("&&" if sign else "||") in node:
        for part in node["&&" if sign else "||"].values():
            yield from _all_of(part, sign)
    elif isinstance(node, dict) and isinstance(node.get("Value"), bool):
        yield node["Value"] == sign
    elif isinstance(node, dict) and not node.keys() & {"&&", "||", "if-then-else"}:
        yield from _of(node, sign)


def _of(node: Any, sign: bool) -> Iterator[Comparison]:
    if not isinstance(node, dict):
        return
    if _tainted(node):
        yield Comparison("", "==", sign)
    for operator, parts in node.items():
        if operator == "!":
            yield from _of(parts["arg"], not sign)
        elif operator in _TURNED:
            yield from _compared(operator, parts, sign)
        elif operator in ("like", "contains"):
            yield from _matched(operator, parts, sign)
        elif operator in ("&&", "||", "if-then-else"):
            for part in parts.values():
                yield from _of(part, sign)


def _compared(operator: str, parts: Mapping[str, Any], sign: bool) -> Iterator[Comparison]:
    for one, other, turned in (("left", "right", operator), ("right", "left", _TURNED[operator])):
        literal = parts[other].get("Value") if isinstance(parts[other], dict) else None
        name = _argument(parts[one], ".")
        if name is not None and literal is not None:
            yield Comparison(name, turned if sign else _OPPOSITE[turned], literal)
        elif isinstance(literal, bool) and operator in ("==", "!="):
            yield from _of(parts[one], sign == (literal == (operator == "==")))


def _matched(operator: str, parts: Mapping[str, Any], sign: bool) -> Iterator[Comparison]:
    if operator == "like" and (name := _argument(parts["left"], ".")) is not None:
        text = "".join("*" if part == "Wildcard" else str(part.get("Literal", "")) for part in parts["pattern"])
        yield Comparison(name, "like" if sign else "not like", text)
    if operator == "contains" and (name := _argument(parts["right"], ".")) is not None:
        for value in parts["left"].get("Set", ()) if isinstance(parts["left"], dict) else ():
            if "Value" in value:
                yield Comparison(name, "in" if sign else "not in", value["Value"])


def _tainted(node: Mapping[str, Any]) -> bool:
    return node.get(".") == {"left": {"Var": "context"}, "attr": "tainted"}


def _argument(node: Any, operator: str) -> str | None:
    """Return X of `context.arguments.X` or `context.arguments has X`."""
    part = node.get(operator) if isinstance(node, dict) else None
    whole = {".": {"left": {"Var": "context"}, "attr": "arguments"}}
    return str(part["attr"]) if isinstance(part, dict) and part.get("left") == whole else None

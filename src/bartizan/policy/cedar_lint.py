"""Finds mistakes in the operator's rules: inverted tests, swapped fields, rules that never count, tools without a rule.

Works on Cedar's own JSON form of the rules, and on the tools that the manifest describes. Says nothing about whether
the rules are what the operator wants.
"""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cedarpy

from bartizan.policy.cedar_reading import (
    TYPES,
    Comparison,
    attributes,
    comparisons,
    conjuncts,
    covered,
    holds_all,
    ids,
    in_scope,
    names,
    reads,
    types,
    within,
)
from bartizan.policy.inference import role_of
from bartizan.policy.manifest import Effect, Manifest, Role, Tool
from bartizan.policy.values import values

_SPEAKS = (Role.CONTENT, Role.LABEL, Role.WHEN)


@dataclass(frozen=True, slots=True)
class Mistake:
    """One suspicion: which rule (by number and line) or tool, a word for machines, a sentence."""

    rule: str
    kind: str
    why: str


def lint(text: str, manifest: Manifest) -> list[Mistake]:
    """Return what looks wrong with rules that parse, given the tools that the manifest describes."""
    called = names(text)
    parsed = json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"]
    rules = {called.get(name, name): rule for name, rule in parsed.items()}
    found: list[Mistake] = []
    for name, rule in rules.items():
        tools = covered(rule, manifest.tools)
        found += _inverted(name, rule, tools)
        found += _fields(name, rule, tools)
        found += _scope(name, rule, manifest)
        if why := _never(rule):
            found.append(Mistake(name, "unreachable-rule", why))
        elif not tools and (scope := sorted(in_scope(rule, manifest.tools))):
            found.append(
                Mistake(name, "unreachable-rule", f"its conditions leave out all of its tools: {', '.join(scope)}")
            )
    found += _taken(rules)
    permits = [rule for rule in rules.values() if rule["effect"] == "permit" and not _never(rule)]
    for tool in manifest.tools:
        if not any(tool in covered(rule, manifest.tools) for rule in permits):
            found.append(Mistake(tool, "tool-without-rule", f"no rule can permit the tool {tool!r}: it never runs"))
    return found


def _inverted(name: str, rule: Mapping[str, Any], tools: Mapping[str, Tool]) -> Iterator[Mistake]:
    """A permit that wants a stranger's text, large amounts or all other targets; a forbid of the contrary."""
    permits, said = rule["effect"] == "permit", list(comparisons(rule))
    for test in said:
        role = _role(test.argument, tools)
        if test.argument == "" and test.value == permits:
            state = "was read" if test.value else "was not read"
            yield Mistake(name, "inverted-test", f"this {rule['effect']} asks that a stranger's text {state}")
        elif role is Role.AMOUNT and test.operator in ((">", ">=") if permits else ("<", "<=")):
            other = ("<", "<=", "==", "in") if permits else (">", ">=", "==", "in")
            if not any(one.argument == test.argument and one.operator in other for one in said):
                asked = f"{test.argument!r} {test.operator} {test.value}"
                yield Mistake(name, "inverted-test", f"this {rule['effect']} asks for {asked}, and sets no other bound")
        elif role is Role.TARGET and permits and test.operator in ("!=", "not in", "not like"):
            why = f"it permits every {test.argument!r} but {test.value!r}: is the contrary meant?"
            yield Mistake(name, "inverted-test", why)


def _role(argument: str, tools: Mapping[str, Tool]) -> Role | None:
    roles = {role_of(about, argument) for about in tools.values() if argument in about.arguments}
    return roles.pop() if len(roles) == 1 else None


def _fields(name: str, rule: Mapping[str, Any], tools: Mapping[str, Tool]) -> Iterator[Mistake]:
    """Arguments that none of the rule's tools has, or only some; values that are not of an argument's kind."""
    for attribute in dict.fromkeys(attributes(rule["conditions"])):
        if attribute not in ("arguments", "tainted"):
            yield Mistake(name, "unknown-argument", f"the context has no {attribute!r}: arguments and tainted it has")
    described = {tool: about for tool, about in tools.items() if about.arguments}
    read = dict.fromkeys(reads(rule["conditions"]))
    for argument in dict.fromkeys(argument for _, argument in read):
        lacking = sorted(tool for tool, about in described.items() if argument not in about.arguments)
        if described and len(lacking) == len(described):
            yield Mistake(name, "unknown-argument", f"none of {', '.join(lacking)} has an argument {argument!r}")
        elif (".", argument) in read and ("has", argument) not in read and lacking:
            why = f"it fails for {', '.join(lacking)}, and a call for which a rule fails is refused"
            yield Mistake(name, "missing-has", f"{why}: write context.arguments has {argument} && …")
    for test in comparisons(rule):
        having = [about for about in described.values() if test.argument in about.arguments]
        if having and all(_swapped(about, test) for about in having):
            role = role_of(having[0], test.argument).value
            yield Mistake(name, "swapped-fields", f"{test.argument!r} is a {role} and is compared with {test.value!r}")


def _swapped(tool: Tool, test: Comparison) -> bool:
    role, value = role_of(tool, test.argument), test.value
    if role is Role.TARGET:
        return isinstance(value, int) and not isinstance(value, bool)
    if role is Role.AMOUNT:
        return isinstance(value, str)
    leads = isinstance(value, str) and next(values(value.replace("*", "x")), None) is not None
    return leads and role in _SPEAKS and Role.TARGET in tool.arguments.values()


def _scope(name: str, rule: Mapping[str, Any], manifest: Manifest) -> Iterator[Mistake]:
    """Entities of the wrong type, effects and tools that there are none of, and effects that the tools do not have."""
    for part, wanted in TYPES.items():
        for other in sorted(types(rule[part]) - {wanted}):
            yield Mistake(name, "unreachable-rule", f"a {part} is a {wanted}, never a {other}")
    effects = {effect.value for effect in Effect}
    for action in sorted(ids(rule["action"]) - effects):
        known = ", ".join(sorted(effects))
        yield Mistake(name, "unreachable-rule", f"there is no action {action!r}: expected one of {known}")
    resources = ids(rule["resource"])
    for tool in sorted(resources - manifest.tools.keys()):
        if near := difflib.get_close_matches(tool, manifest.tools, n=1, cutoff=0.8):
            yield Mistake(name, "unreachable-rule", f"there is no tool {tool!r}: is {near[0]!r} meant?")
    described = resources and resources <= manifest.tools.keys()
    if described and not in_scope(rule, manifest.tools) and ids(rule["action"]) & effects:
        said = ", ".join(f"{tool} is {manifest.tools[tool].effect.value}" for tool in sorted(resources))
        yield Mistake(name, "unreachable-rule", f"its tools do not have its actions: {said}")


def _never(rule: Mapping[str, Any]) -> str:
    """Return why a rule's conditions cannot hold, or nothing."""
    said = list(conjuncts(rule))
    if any(one is False for one in said):
        return "one of its conditions is never true"
    by_argument: dict[str, list[Comparison]] = {}
    for one in said:
        if isinstance(one, Comparison):
            by_argument.setdefault(one.argument, []).append(one)
    for argument, among in by_argument.items():
        if _contradict(among):
            return f"what it asks of {argument or 'context.tainted'!r} contradicts itself"
    return ""


def _contradict(among: Sequence[Comparison]) -> bool:
    equal = {json.dumps(test.value) for test in among if test.operator == "=="}
    if len(equal) > 1 or any(test.operator == "!=" and json.dumps(test.value) in equal for test in among):
        return True
    numbers = [test for test in among if isinstance(test.value, int) and not isinstance(test.value, bool)]
    least = [test.value + (test.operator == ">") for test in numbers if test.operator in (">", ">=", "==")]
    most = [test.value - (test.operator == "<") for test in numbers if test.operator in ("<", "<=", "==")]
    return bool(least and most) and max(least) > min(most)


def _taken(rules: Mapping[str, Any]) -> Iterator[Mistake]:
    """Rules that say what another says without any condition, and permits that such a forbid takes away."""
    seen: dict[str, str] = {}
    for name, rule in rules.items():
        form = json.dumps({key: part for key, part in rule.items() if key != "annotations"}, sort_keys=True)
        if form in seen:
            yield Mistake(name, "unreachable-rule", f"says the same as {seen[form]}")
            continue
        seen[form] = name
        for other_name, other in rules.items():
            if other is rule or other["conditions"] or not all(within(rule[part], other[part]) for part in TYPES):
                continue
            if other["effect"] == "forbid" and rule["effect"] == "permit":
                yield Mistake(name, "unreachable-rule", f"{other_name} forbids all that it permits")
            elif other["effect"] == rule["effect"] and not _same_scope(rule, other):
                yield Mistake(name, "unreachable-rule", f"{other_name} {rule['effect']}s all of it already")


def _same_scope(rule: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two rules without conditions have one scope: then they say the same, which is said once."""
    return not rule["conditions"] and all(
        holds_all(rule[part]) == holds_all(other[part]) and ids(rule[part]) == ids(other[part]) for part in TYPES
    )

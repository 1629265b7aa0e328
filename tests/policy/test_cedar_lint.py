"""Seeded mistakes are found, and good rules are left alone."""

import json

import pytest

from bartizan.policy.cedar_lint import lint
from bartizan.policy.manifest import Manifest

MANIFEST = Manifest.parse(
    json.dumps(
        {
            "tools": {
                "pay": {"effect": "pay", "arguments": {"to": "target", "amount": "amount", "note": "content"}},
                "mail": {"effect": "send", "arguments": {"to": "target", "cc": "target", "subject": "content"}},
                "drop": {"effect": "delete", "arguments": {"file": "target"}},
                "search": {"effect": "read", "arguments": {"query": "selector"}},
            }
        }
    )
)
GOOD = """
permit(principal, action == Action::"read", resource);
permit(principal == User::"clerk", action == Action::"pay", resource == Tool::"pay")
  when { context.arguments has amount && context.arguments.amount <= 500 && context.arguments.to == "DE1" }
  unless { context.tainted };
permit(principal is User, action in [Action::"send"], resource is Tool)
  when { context.arguments has to && context.arguments.to like "*@corp.com" && !context.tainted };
permit(principal in User::"boss", action == Action::"send", resource == Tool::"mail")
  when { context.arguments.to == "press@paper.example" || principal == User::"boss" };
permit(principal == User::"admin", action == Action::"delete", resource)
  when { ["a.txt", "b.txt"].contains(context.arguments.file) };
forbid(principal, action == Action::"pay", resource) when { context.tainted == true };
forbid(principal, action == Action::"pay", resource) when { context.tainted != false };
forbid(principal, action == Action::"pay", resource == Tool::"pay") when { context.arguments.amount > 1000 };
forbid(principal, action == Action::"pay", resource) unless { context.arguments.amount < 2000 };
forbid(principal, action == Action::"send", resource) when { context.arguments.to != "x@corp.com" && context.tainted };
permit(principal == User::"range", action == Action::"pay", resource)
  when { context.arguments.amount >= 5 && 50 >= context.arguments.amount };
"""


def kinds(text):
    """The kinds of mistakes in rules."""
    return {mistake.kind for mistake in lint(text, MANIFEST)}


def test_good_rules_are_left_alone():
    """No false alarm; nor for those of the documentation."""
    assert lint(GOOD, MANIFEST) == []


SMALL, TO = "context.arguments.amount <= 500", 'context.arguments.to == "DE1"'
READ = 'permit(principal, action == Action::"read", resource);'
PRESS, MANY = 'context.arguments.to == "press@paper.example"', 'action == Action::"pay", resource == Tool::"pay"'
SEEDED = (
    ("unless { context.tainted }", "when { context.tainted }", "inverted-test"),
    ("context.tainted == true", "context.tainted == false", "inverted-test"),
    ("context.tainted != false", "!context.tainted", "inverted-test"),
    ("context.tainted != false", "context.tainted != true", "inverted-test"),
    ("&& !context.tainted }", "&& context.tainted }", "inverted-test"),
    ("context.arguments.amount <= 500", "context.arguments.amount >= 500", "inverted-test"),
    ("context.arguments.amount <= 500", "!(context.arguments.amount < 500)", "inverted-test"),
    ("context.arguments.amount <= 500", "500 < context.arguments.amount", "inverted-test"),
    ("context.arguments.amount > 1000", "context.arguments.amount < 1000", "inverted-test"),
    ("unless { context.arguments.amount < 2000 }", "when { context.arguments.amount < 2000 }", "inverted-test"),
    ('context.arguments.to == "DE1"', 'context.arguments.to != "DE1"', "inverted-test"),
    ('context.arguments.to like "*@corp.com"', '!(context.arguments.to like "*@corp.com")', "inverted-test"),
    ('["a.txt", "b.txt"].contains', '!["a.txt", "b.txt"].contains', "inverted-test"),
    ("context.arguments.amount <= 500", "context.arguments.to <= 500", "swapped-fields"),
    ('context.arguments.to == "DE1"', 'context.arguments.amount == "DE1"', "swapped-fields"),
    ('context.arguments.to like "*@corp.com"', 'context.arguments.subject like "*@corp.com"', "swapped-fields"),
    (PRESS, PRESS.replace(".to", ".subject"), "swapped-fields"),
    ("context.arguments.to", "context.arguments.recipient", "unknown-argument"),
    ("has amount", "has ammount", "unknown-argument"),
    ("context.tainted == true", "context.taint == true", "unknown-argument"),
    ("context.arguments.file", "context.argument.file", "unknown-argument"),
    ('action == Action::"delete"', "action", "missing-has"),
    ('permit(principal, action == Action::"read", resource);', "", "tool-without-rule"),
    ('Action::"delete", resource', 'Action::"delete", resource == Tool::"dropp"', "tool-without-rule"),
    ('resource == Tool::"pay")\n', 'resource == Tool::"pays")\n', "unreachable-rule"),
    ('action == Action::"pay"', 'action == Action::"paid"', "unreachable-rule"),
    (MANY, MANY.replace('Action::"pay"', 'Action::"send"'), "unreachable-rule"),
    ('principal == User::"clerk"', 'principal == Tool::"pay"', "unreachable-rule"),
    ('principal in User::"boss"', 'principal in Group::"bosses"', "unreachable-rule"),
    (SMALL, f"{SMALL} && context.arguments.amount > 500", "unreachable-rule"),
    (TO, f'{TO} && context.arguments.to == "DE2"', "unreachable-rule"),
    (TO, f"{TO} && false", "unreachable-rule"),
    ("&& !context.tainted }", "&& !context.tainted && context.tainted }", "unreachable-rule"),
    (READ, "permit(principal, action, resource);", "unreachable-rule"),
    (TO, f'{TO} && resource == Tool::"mail"', "unreachable-rule"),
    (READ, READ.replace(";", ' when { resource != Tool::"search" };'), "tool-without-rule"),
    (READ, READ.replace(";", ' unless { resource in [Tool::"search", Tool::"x"] };'), "tool-without-rule"),
    (READ, READ.replace(";", " when { context.tainted && !context.tainted };"), "tool-without-rule"),
)


@pytest.mark.parametrize(("right", "wrong", "kind"), SEEDED)
def test_a_seeded_mistake_is_found(right, wrong, kind):
    """One change to the good rules."""
    assert right in GOOD
    assert kind in kinds(GOOD.replace(right, wrong, 1))


@pytest.mark.parametrize(
    "more",
    [
        'forbid(principal, action == Action::"read", resource);',
        "forbid(principal, action, resource);",
        'permit(principal, action == Action::"read", resource);',
        'permit(principal == User::"x", action == Action::"read", resource);',
        "forbid(principal, action, resource is Tool);",
    ],
)
def test_a_rule_that_takes_another_away_or_repeats_it_is_found(more):
    """Whichever comes first."""
    assert "unreachable-rule" in kinds(more + GOOD)
    assert "unreachable-rule" in kinds(GOOD + more)


def test_a_tool_whose_only_permit_is_for_another_effect_never_runs():
    """By its effect, not by its name."""
    found = lint('permit(principal, action == Action::"read", resource);', MANIFEST)
    assert [(one.rule, one.kind) for one in found] == [(tool, "tool-without-rule") for tool in ("pay", "mail", "drop")]


def test_rules_are_called_by_number_and_line():
    """Comments and strings that hold a semicolon end no rule; two rules may stand on one line."""
    text = '// first; of all\n@id("a;b")\npermit(principal, action, resource);forbid(principal,\naction, resource);\n'
    assert [one.rule for one in lint(text, MANIFEST)] == ["rule 1 (line 2)"]
    again = text + 'permit(principal, action == Action::"exec", resource);'
    assert ("rule 3 (line 5)", "unreachable-rule") in [(one.rule, one.kind) for one in lint(again, MANIFEST)]

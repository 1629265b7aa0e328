"""Seeded mistakes are found, and good rules are left alone."""

import json

import pytest

from bartizan.policy.cedar_lint import lint
from bartizan.policy.manifest import Manifest

MANIFEST = Manifest.parse(
    json.dumps(
        {
            "tools": {
                "pay": {"effect": "pay", "arguments": {"to": "target", "amount": "amount"}},
                "search": {"effect": "read"},
            }
        }
    )
)
GOOD = """
permit(principal, action == Action::"read", resource);
permit(principal == User::"clerk", action == Action::"pay", resource == Tool::"pay")
  when { context.arguments has amount && context.arguments.amount <= 500 && context.arguments.to == "DE1" }
  unless { context.tainted };
forbid(principal, action == Action::"pay", resource) when { context.tainted == true };
forbid(principal, action == Action::"pay", resource) when { context.tainted != false };
"""


def kinds(text):
    """The kinds of mistakes in rules."""
    return {mistake.kind for mistake in lint(text, MANIFEST)}


def test_good_rules_are_left_alone():
    """No false alarm."""
    assert kinds(GOOD) == set()


@pytest.mark.parametrize(
    ("right", "wrong", "kind"),
    [
        ("unless { context.tainted }", "when { context.tainted }", "inverted-test"),
        ("context.tainted == true", "context.tainted == false", "inverted-test"),
        ("context.tainted != false", "!context.tainted", "inverted-test"),
        ("context.tainted != false", "context.tainted != true", "inverted-test"),
        ("context.arguments.amount <= 500", "context.arguments.to <= 500", "swapped-fields"),
        ('context.arguments.to == "DE1"', 'context.arguments.amount == "DE1"', "swapped-fields"),
        ("context.arguments.to", "context.arguments.recipient", "unknown-argument"),
        ("has amount", "has ammount", "unknown-argument"),
        ('permit(principal, action == Action::"read", resource);', "", "tool-without-rule"),
        ('resource == Tool::"pay"', 'resource == Tool::"pays"', "tool-without-rule"),
        (GOOD[:4], 'forbid(principal, action == Action::"read", resource);', "unreachable-rule"),
        (GOOD[:4], "forbid(principal, action, resource);", "unreachable-rule"),
        (GOOD[:4], 'permit(principal, action == Action::"read", resource);permi', "unreachable-rule"),
    ],
)
def test_a_seeded_mistake_is_found(right, wrong, kind):
    """One change to the good rules."""
    text = wrong + "\n" + GOOD if right == GOOD[:4] and not wrong.endswith("permi") else GOOD.replace(right, wrong, 1)
    if wrong.endswith("permi"):
        text = 'permit(principal, action == Action::"read", resource);' + GOOD
    assert kind in kinds(text)

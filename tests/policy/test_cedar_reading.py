"""What a rule tests, with its sign."""

import json

import cedarpy
import pytest

from bartizan.policy.cedar_reading import Comparison, comparisons, conjuncts

TAINTED, CLEAN = Comparison("", "==", True), Comparison("", "==", False)


def rule(condition):
    """A rule's JSON form."""
    text = f"permit(principal, action, resource) {condition};"
    return json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"]["policy0"]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("when { context.arguments.a < 5 }", [Comparison("a", "<", 5)]),
        ("unless { context.arguments.a < 5 }", [Comparison("a", ">=", 5)]),
        ("when { !(5 < context.arguments.a) }", [Comparison("a", "<=", 5)]),
        (
            "when { context.tainted == false || !context.tainted }",
            [Comparison("", "==", False), Comparison("", "==", False)],
        ),
        ("unless { context.tainted != true }", [TAINTED]),
        ('when { ["x", "y"].contains(context.arguments.a) }', [Comparison("a", "in", "x"), Comparison("a", "in", "y")]),
        ('unless { context.arguments.a like "x*" }', [Comparison("a", "not like", "x*")]),
        (
            "when { if context.tainted then context.arguments.a == 1 else true }",
            [Comparison("", "==", True), Comparison("a", "==", 1)],
        ),
    ],
)
def test_every_test_has_the_sign_that_makes_the_rule_count(condition, found):
    """Through negation, `unless`, turned comparisons and comparisons with true and false."""
    assert list(comparisons(rule(condition))) == found


def test_only_what_must_hold_is_a_conjunct():
    """A side of an `or` is none; what an `unless` joins by `or` is."""
    assert list(conjuncts(rule("when { context.tainted || context.arguments.a == 1 }"))) == []
    both = [Comparison("", "==", False), Comparison("a", "!=", 1)]
    assert list(conjuncts(rule("unless { context.tainted || context.arguments.a == 1 }"))) == both
    assert list(conjuncts(rule("when { false }"))) == [False]

"""Verdicts: the worst part counts; what could not be read is never clean."""

import pytest

from bartizan.core.findings import Finding, Severity
from bartizan.supply.base import Budget, LimitReached, Verdict, judged, unreadable


def test_the_worst_finding_decides():
    """Nothing found is clean; unreadable is worse than review; hostile is worst."""
    review = Finding("a", Severity.MEDIUM, "x")
    hostile = Finding("b", Severity.HIGH, "x")
    assert judged("p", "f", []).verdict is Verdict.CLEAN
    assert judged("p", "f", [review]).verdict is Verdict.REVIEW
    assert judged("p", "f", [review, unreadable("x")]).verdict is Verdict.UNREADABLE
    assert judged("p", "f", [unreadable("x"), hostile]).verdict is Verdict.BLOCK


def test_a_budget_is_spent_once():
    """Members of a container share it."""
    budget = Budget(members=2)
    budget.spend("members")
    budget.spend("members")
    with pytest.raises(LimitReached, match="members"):
        budget.spend("members")

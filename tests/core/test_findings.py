"""Findings: spans never run backwards."""

import pytest

from bartizan.core.findings import Finding, Severity, Span


def test_a_backward_span_is_refused():
    """Start after end points at nothing."""
    with pytest.raises(ValueError, match="expected 0 <= start <= end"):
        Span(3, 2)
    assert Span(2, 2).start == 2


def test_severities_are_ordered():
    """Gates compare them."""
    assert Severity.LOW < Severity.CRITICAL
    assert Finding("r", Severity.LOW, "why").span is None

"""Answers: what records hold of them, and the words of a refusal."""

from bartizan.core.findings import Finding, Severity
from bartizan.mcp.answers import Asked, denial, noted


def test_records_hold_rules_and_places_and_no_texts():
    """The text of a finding may repeat what it is about."""
    (found,) = noted([Finding("r", Severity.HIGH, "the secret text", "demo/x")])
    assert found == {"rule": "r", "severity": "high", "where": "demo/x"}


def test_a_denial_fits_the_protocol_of_its_request():
    """2026-07-28 wants the type of a result said."""
    assert "resultType" not in denial(Asked(1, "tools/call"), "no").result
    assert denial(Asked(1, "tools/call", stateless=True), "no").result["resultType"] == "complete"
    assert Asked(1, "tools/call", tool="add").what == "add"

"""SARIF: rules and results by index, fingerprints by identity."""

from bartizan.core.sarif import Result, Rule, log

RULES = [Rule("A", "a", "s", "f", "h", ("tag",)), Rule("B", "b", "s", "f", "h")]


def test_results_point_at_their_rule():
    """By id and by index."""
    run = log("1", RULES, [Result("B", "error", "m", "file.txt", "x")])["runs"][0]
    assert run["results"][0]["ruleIndex"] == 1
    assert run["tool"]["driver"]["rules"][0]["properties"]["tags"] == ["tag"]


def test_the_fingerprint_depends_on_rule_place_and_identity_only():
    """Another message is the same result."""

    def fingerprint(**change):
        parts = {"rule": "A", "level": "note", "message": "m", "where": "f", "identity": "x"} | change
        return log("1", RULES, [Result(**parts)])["runs"][0]["results"][0]["partialFingerprints"]["bartizan/v1"]

    assert fingerprint() == fingerprint(message="other", level="error")
    assert len({fingerprint(), fingerprint(rule="B"), fingerprint(where="g"), fingerprint(identity="y")}) == 4

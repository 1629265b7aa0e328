"""SARIF: rules and results by index, fingerprints by identity, places as URIs."""

import json

import pytest

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


@pytest.mark.parametrize(
    ("where", "uri"),
    [
        ("models/a.pkl", "models/a.pkl"),
        ("my models/100%#1?.pkl", "my%20models/100%25%231%3F.pkl"),
        ("model:v1.pkl", "model%3Av1.pkl"),
        ("a.zip!/b.pkl", "a.zip!/b.pkl"),
        ("javascript:alert(1)", "javascript%3Aalert%281%29"),
        ("http://127.0.0.1:8080/v1?x=1", "http://127.0.0.1:8080/v1?x=1"),
    ],
)
def test_a_place_is_a_uri_whatever_the_file_is_called(where, uri):
    """Spaces and delimiters in a name are escaped; an address stays what it is."""
    found = log("1", RULES, [Result("A", "note", "m", where, "x")])["runs"][0]["results"][0]
    assert found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_a_name_that_is_no_valid_text_does_not_stop_the_log():
    """A file named with a stray byte is reported like any other, under its own fingerprint."""
    name = b"model-\xff.pkl".decode("utf-8", "surrogateescape")
    results = [Result("A", "error", "m", one, "x") for one in (name, "model-.pkl")]
    written = json.dumps(log("1", RULES, results))
    first, second = json.loads(written)["runs"][0]["results"]
    assert first["partialFingerprints"] != second["partialFingerprints"]
    assert first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].isascii()

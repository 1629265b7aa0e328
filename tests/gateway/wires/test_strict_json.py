"""JSON that two parsers could read differently."""

import pytest

from bartizan.core.errors import BadRequest
from bartizan.gateway.wires import strict_json


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"a":1,"a":2}', "'a' appears twice"),
        (b'{"x":{"a":1,"\\u0061":2}}', "'a' appears twice"),
        (b'{"a":NaN}', "NaN is not JSON"),
        (b'{"a":1e999}', "number 1e999 is too large"),
        (b'{"a":-Infinity}', "-Infinity is not JSON"),
        (b'\xef\xbb\xbf{"a":1}', "not valid JSON"),
        (b'{"a":"\xff"}', "not UTF-8 at byte 6"),
        ('{"a":1}'.encode("utf-16"), "not UTF-8"),
        (b'{"a":"\\ud800"}', "surrogate"),
        (b'{"\\uDFFF":1}', "surrogate"),
        (b"[1]", "expected a JSON object, got list"),
        (b'{"a":1} {"a":2}', "not valid JSON"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"a":' + b"9" * 5000 + b"}", "not valid JSON"),
        (b"", "not valid JSON"),
        (b'{"a":"tab\tin string"}', "not valid JSON"),
        (b'{"a":[' + b"{}," * 65_536 + b"{}]}", "more than 65536 objects"),
        (b'{"a":[' + b"[]," * 524_288 + b"0]}", "more than 524288 opening brackets"),
    ],
)
def test_ambiguous_or_broken_bodies_are_refused(body, why):
    """The reason is in the message."""
    with pytest.raises(BadRequest, match=why):
        strict_json.loads(body)


def test_braces_in_text_are_no_objects():
    """A long piece of code is a text like any other."""
    code = "if (a) { b(); } " * 70_000
    assert strict_json.loads(b'{"a":"' + code.encode() + b'"}') == {"a": code}


def test_ordinary_bodies_pass():
    """Escapes, pairs of surrogates and repeated keys in different objects are fine."""
    body = b'{"a":[{"k":1},{"k":2}],"b":"\\ud83d\\ude00 \\u00e9"}'
    assert strict_json.loads(body) == {"a": [{"k": 1}, {"k": 2}], "b": "\N{GRINNING FACE} \u00e9"}


@pytest.mark.parametrize("key", ["Messages", "MESSAGES", "me\u017f\u017fages"])
def test_a_key_that_some_parsers_would_take_for_another_is_refused(key):
    """Go's JSON package ignores letter case, and folds a long s."""
    with pytest.raises(BadRequest, match="letter case"):
        strict_json.refuse_lookalike_keys({key: []}, frozenset({"messages"}), "request body")
    strict_json.refuse_lookalike_keys({"messages": [], "Other": 1}, frozenset({"messages"}), "request body")

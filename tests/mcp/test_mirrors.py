"""Headers that repeat the body: written, read, compared, and the annotations that MCP does not allow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bartizan.mcp.mirrors import (
    argument_disagreement,
    bad_annotation,
    decoded,
    disagreement,
    encoded,
    headers_of,
    mirrored,
)

REGION = {"type": "string", "x-mcp-header": "Region"}
SCHEMA = {
    "type": "object",
    "properties": {
        "region": REGION,
        "deep": {"type": "object", "properties": {"count": {"type": "integer", "x-mcp-header": "Count"}}},
        "dry": {"type": "boolean", "x-mcp-header": "Dry"},
        "query": {"type": "string", "default": {"x-mcp-header": "this is data"}},
    },
}
ARGUMENTS = {"region": "us-west1", "deep": {"count": 42}, "dry": True, "query": "SELECT"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("us-west1", "us-west1"),
        ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
        (" padded ", "=?base64?IHBhZGRlZCA=?="),
        ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
        ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
    ],
)
def test_values_are_encoded_as_the_specification_shows(text, value):
    """Its own table of examples, both ways."""
    assert encoded(text) == value
    assert decoded(value) == text


@given(st.text(max_size=30))
def test_what_is_encoded_comes_back_and_ends_no_line(text):
    """Whatever a server calls its tool or a model writes into an argument."""
    value = encoded(text)
    assert value.isascii()
    assert "\r" not in value
    assert "\n" not in value
    assert decoded(value) == text


@pytest.mark.parametrize("value", ["=?base64?SGVsbG8?=", "=?base64?SGVs!!!bG8=?=", "=?base64?SGVsbG9=?=", "a\r\nb", ""])
def test_what_stands_for_nothing_agrees_with_nothing(value):
    """Wrong padding, wrong letters, stray bits, line ends."""
    assert decoded(value) is None


def test_a_call_is_repeated_in_its_headers():
    """Method, name, and the annotated arguments, at any depth."""
    headers = headers_of("tools/call", {"name": "sql", "arguments": ARGUMENTS}, SCHEMA)
    assert dict(headers) == {
        "mcp-method": "tools/call",
        "mcp-name": "sql",
        "mcp-param-region": "us-west1",
        "mcp-param-count": "42",
        "mcp-param-dry": "true",
    }
    assert disagreement("tools/call", {"name": "sql"}, headers, demanded=True) == ""
    assert argument_disagreement(SCHEMA, ARGUMENTS, headers) == ""


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("mcp-method", "tools/list"), ("mcp-name", "sql")],
        [("mcp-method", "TOOLS/CALL"), ("mcp-name", "sql")],
        [("mcp-method", "tools/call"), ("mcp-name", "other")],
        [("mcp-method", "tools/call")],
        [("mcp-method", "tools/call"), ("mcp-name", "sql"), ("mcp-name", "other")],
    ],
)
def test_headers_that_say_something_else_are_found(headers):
    """Missing, other, in other letters, twice."""
    assert disagreement("tools/call", {"name": "sql"}, headers, demanded=True)


def test_before_2026_headers_may_be_left_out_but_not_be_wrong():
    """Older clients send none."""
    assert disagreement("tools/call", {"name": "sql"}, [], demanded=False) == ""
    assert disagreement("tools/call", {"name": "sql"}, [("mcp-name", "other")], demanded=False)
    assert disagreement("tools/list", {}, [("mcp-method", "tools/call")], demanded=False)


@pytest.mark.parametrize(
    ("arguments", "headers", "agrees"),
    [
        ({"region": "a"}, [("mcp-param-region", "a")], True),
        ({"region": "a"}, [], False),
        ({}, [("mcp-param-region", "a")], False),
        ({"region": None}, [], True),
        ({"region": "a"}, [("mcp-param-region", "b")], False),
        ({"region": "a"}, [("mcp-param-region", "a"), ("mcp-param-region", "b")], False),
        ({"deep": {"count": 42}}, [("mcp-param-count", "42.0")], True),
        ({"deep": {"count": 42.0}}, [("mcp-param-count", "42")], True),
        ({"deep": {"count": 42}}, [("mcp-param-count", "4.2e1")], False),
        ({"dry": False}, [("mcp-param-dry", "False")], False),
        ({}, [("mcp-param-unknown", "x")], True),
    ],
)
def test_arguments_and_their_headers_agree_or_not(arguments, headers, agrees):
    """Present together and equal, numbers as numbers; headers that nobody declared mean nothing."""
    assert (argument_disagreement(SCHEMA, arguments, headers) == "") == agrees


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"type": "string", "x-mcp-header": "X\r\nEvil: 1"}}},
        {"properties": {"a": {"type": "string", "x-mcp-header": ""}}},
        {"properties": {"a": {"type": "number", "x-mcp-header": "A"}}},
        {"properties": {"a": {"type": ["string"], "x-mcp-header": "A"}}},
        {"properties": {"a": REGION, "b": {"type": "string", "x-mcp-header": "REGION"}}},
        {"properties": {"a": {"items": REGION}}},
        {"allOf": [{"properties": {"a": REGION}}]},
        {"x-mcp-header": "A", "type": "string"},
    ],
)
def test_annotations_that_are_not_allowed_are_found(schema):
    """A header's name that ends a line, types that do not travel, one name twice, places that no path leads to."""
    assert bad_annotation(schema)


def test_allowed_annotations_are_all_found():
    """In no particular order; words in data are data."""
    assert {one.header for one in mirrored(SCHEMA)} == {"mcp-param-region", "mcp-param-count", "mcp-param-dry"}
    assert bad_annotation(SCHEMA) == ""

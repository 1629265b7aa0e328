"""Chat Completions: what is understood, with whose trust, and how we say no."""

import json

import pytest

from bartizan.core.errors import BadRequest
from bartizan.core.messages import Role, Text, ToolCall, ToolResult, Trust
from bartizan.gateway.wires.openai_chat import OpenAIChat

WIRE = OpenAIChat()


def parsed(**document):
    return WIRE.parse(json.dumps({"model": "m", **document}).encode()).prompt


def test_every_text_is_found_with_its_trust():
    """System, developer, user, assistant, tool; parts, names, unknown text fields and tool calls."""
    prompt = parsed(
        messages=[
            {"role": "system", "content": "s"},
            {"role": "developer", "content": [{"type": "text", "text": "d"}]},
            {"role": "user", "content": "u", "name": "bob"},
            {
                "role": "assistant",
                "content": None,
                "reasoning_content": "hm",
                "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "r"},
        ],
        tools=[
            {"type": "function", "function": {"name": "f", "description": "does", "parameters": {"type": "object"}}}
        ],
        max_tokens=5,
        stream=True,
    )
    parts = [message.parts for message in prompt.messages]
    assert parts[0] == (Text("s", Trust.OPERATOR, "/messages/0/content"),)
    assert parts[1] == (Text("d", Trust.DEVELOPER, "/messages/1/content/0/text"),)
    assert parts[2][1] == Text("bob", Trust.USER, "/messages/2/name")
    assert parts[3] == (Text("hm", Trust.TOOL, "/messages/3/reasoning_content"), ToolCall("c1", "f", '{"a":1}'))
    assert parts[4] == (ToolResult("c1", Text("r", Trust.TOOL, "/messages/4/content")),)
    assert prompt.messages[4].role is Role.TOOL
    assert (prompt.tools[0].name, prompt.tools[0].description, prompt.stream) == ("f", "does", True)
    assert prompt.max_output_tokens == 5


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({}, "messages: expected an array, got nothing"),
        ({"messages": {}}, "messages: expected an array, got an object"),
        ({"messages": ["x"]}, "/messages/0: expected an object, got a string"),
        ({"messages": [{"role": "root"}]}, "'root': expected one of system"),
        ({"messages": [{"role": "user", "content": 5}]}, "expected an array, got a number"),
        ({"messages": [{"role": "user", "Content": "x"}]}, "letter case"),
        ({"messages": [], "model": 1}, "model: expected a string"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": ["x"]}]}]}, "expected a string"),
    ],
)
def test_what_cannot_be_understood_is_refused(document, why):
    """With the place, what was expected and what was got."""
    with pytest.raises(BadRequest, match=why):
        parsed(**document)


def test_the_larger_of_two_caps_counts():
    """A budget must hold for the worst case."""
    assert parsed(messages=[], max_tokens=5, max_completion_tokens=9).max_output_tokens == 9
    assert parsed(messages=[], max_tokens=True).max_output_tokens is None


def test_an_error_has_openais_form():
    """type and code by status."""
    said = WIRE.error(401, "invalid_api_key", "no")
    assert json.loads(said.body)["error"] == {
        "message": "no",
        "type": "authentication_error",
        "param": None,
        "code": "invalid_api_key",
    }

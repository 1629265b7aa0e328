"""Responses: what is understood and how we say no."""

import json

import pytest

from bartizan.core.errors import BadRequest
from bartizan.core.messages import Role, ToolCall, ToolResult, Trust
from bartizan.gateway.sse import EventSplitter, parse
from bartizan.gateway.wires.openai_responses import OpenAIResponses

WIRE = OpenAIResponses()


def parsed(**document):
    return WIRE.parse(json.dumps({"model": "m", **document}).encode())


def test_items_carry_their_trust():
    """Instructions, messages, calls, outputs, and items we do not know."""
    prompt = parsed(
        instructions="be kind",
        input=[
            {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "result"},
            {"type": "brand_new", "payload": {"words": "unknown"}},
        ],
        tools=[{"type": "function", "name": "f", "description": "d", "parameters": {}}],
        prompt={"id": "p", "variables": {"x": "variable"}},
    ).prompt
    system, user, call, output, odd, template = prompt.messages
    assert (system.role, system.texts()[0].trust) == (Role.SYSTEM, Trust.OPERATOR)
    assert (user.texts()[0].content, user.texts()[0].origin) == ("hi", "/input/0/content/0/text")
    assert call.parts == (ToolCall("c", "f", "{}"),)
    assert isinstance(output.parts[0], ToolResult)
    assert [text.content for text in odd.texts()] == ["unknown"]
    assert "variable" in [text.content for text in template.texts()]
    assert prompt.tools[0].name == "f"


@pytest.mark.parametrize("document", [{"input": 5}, {"input": [{"role": "root", "content": "x"}]}, {"Input": "x"}])
def test_what_cannot_be_understood_is_refused(document):
    """Clear errors for wrong types, unknown roles, lookalike keys."""
    with pytest.raises(BadRequest):
        parsed(**document)


def test_a_refusal_is_incomplete_because_of_its_content():
    """Streamed, with all the events clients build a response from, and not."""
    whole = json.loads(WIRE.refuse(parsed(input="x"), "no").body)
    assert (whole["status"], whole["incomplete_details"]) == ("incomplete", {"reason": "content_filter"})
    assert whole["output"][0]["content"][0]["text"] == "no"
    events = EventSplitter().feed(WIRE.refuse(parsed(input="x", stream=True), "no").body)
    assert [event.name for event in events] == [
        "response.created",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.incomplete",
    ]
    assert [json.loads(event.data)["sequence_number"] for event in events] == list(range(8))


def test_a_call_is_named_before_its_arguments():
    """From the item that was added."""
    reader = WIRE.reader(parsed(input="x"))
    item = {"type": "function_call", "call_id": "c9", "name": "send"}
    added = {"type": "response.output_item.added", "output_index": 2, "item": item}
    reader.event(parse(b"data: " + json.dumps(added).encode() + b"\n\n"))
    assert reader.call("tool/2", "{}") == ToolCall("c9", "send", "{}")
    done = {"type": "response.function_call_arguments.done", "output_index": 2, "arguments": "{}"}
    assert reader.event(parse(b"data: " + json.dumps(done).encode() + b"\n\n")).closes == ("tool/2",)

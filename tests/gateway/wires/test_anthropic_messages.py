"""Messages: what is understood and how we say no."""

import json

import pytest

from bartizan.core.errors import BadRequest
from bartizan.core.messages import Role, ToolCall, Trust, Usage
from bartizan.gateway.sse import Event, EventSplitter, parse
from bartizan.gateway.wires.anthropic_messages import AnthropicMessages

WIRE = AnthropicMessages()


def parsed(**document):
    return WIRE.parse(json.dumps({"model": "m", "max_tokens": 9, **document}).encode())


def test_blocks_carry_their_trust():
    """System, user, tool use, tool results, documents."""
    source = {"type": "text", "media_type": "text/plain", "data": "from a file"}
    prompt = parsed(
        system=[{"type": "text", "text": "sys", "cache_control": {"type": "ephemeral"}}],
        messages=[
            {"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "document", "source": source}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "out"}]},
            {"role": "user", "content": [{"type": "image", "source": {"type": "base64", "data": "AAAA"}}]},
        ],
    ).prompt
    assert (prompt.messages[0].role, prompt.messages[0].texts()[0].trust) == (Role.SYSTEM, Trust.OPERATOR)
    assert [(text.content, text.trust) for text in prompt.messages[1].texts()] == [
        ("hi", Trust.USER),
        ("from a file", Trust.WEB),
    ]
    assert prompt.messages[2].parts == (ToolCall("t", "f", '{"a": 1}'),)
    assert prompt.messages[3].texts()[0].trust is Trust.TOOL
    assert prompt.messages[4].texts() == ()
    assert prompt.max_output_tokens == 9


def test_unknown_roles_are_refused():
    """With the place."""
    with pytest.raises(BadRequest, match="/messages/0/role"):
        parsed(messages=[{"role": "root", "content": "x"}])


def test_a_refusal_stops_with_refusal():
    """Streamed and not."""
    whole = json.loads(WIRE.refuse(parsed(messages=[]), "no").body)
    assert (whole["content"], whole["stop_reason"]) == ([{"type": "text", "text": "no"}], "refusal")
    events = EventSplitter().feed(WIRE.refuse(parsed(messages=[], stream=True), "no").body)
    assert [event.name for event in events] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


def test_a_cut_closes_what_is_open():
    """The client has block 0 open: it is closed, the refusal comes as block 1."""
    reader = WIRE.reader(parsed(messages=[]))
    start = {"type": "message_start", "message": {"id": "x", "model": "y", "role": "assistant", "type": "message"}}
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    for event in (start, block):
        reader.passed(reader.event(parse(b"data: " + json.dumps(event).encode() + b"\n\n")))
    events = [json.loads(event.data) for event in EventSplitter().feed(reader.cut("no"))]
    assert [(event["type"], event.get("index")) for event in events[:2]] == [
        ("content_block_stop", 0),
        ("content_block_start", 1),
    ]


def test_an_error_has_anthropics_form():
    """type error, with the kind its SDK maps."""
    body = json.loads(WIRE.error(401, "invalid_api_key", "no").body)
    assert (body["type"], body["error"]["type"]) == ("error", "authentication_error")


def test_input_that_a_cache_gave_or_took_is_input():
    """Anthropic's input_tokens leaves it out; nulls in the last event erase nothing."""
    reader = AnthropicMessages().reader(AnthropicMessages().parse(b'{"model":"m","messages":[],"max_tokens":9}'))
    usage = {"input_tokens": 10, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 1000}
    start = {"type": "message_start", "message": {"content": [], "usage": {**usage, "output_tokens": 1}}}
    delta = {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 7, "input_tokens": None}}
    for event in (start, delta):
        read = reader.event(Event(b"", "", json.dumps(event).encode()))
    assert read.usage == Usage(1110, 7, 100, 1000)
    whole = reader.whole(json.dumps({"content": [], "usage": {**usage, "output_tokens": 7}}).encode())
    assert whole.usage == Usage(1110, 7, 100, 1000)

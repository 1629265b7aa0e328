"""Bytes that nobody should send: on every wire, no crash of ours, no hang, nothing hidden passes."""

import collections
import itertools
import json
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.gateway.conftest import chat
from tests.gateway.test_stream import controls

from bartizan.core.clock import SystemClock
from bartizan.core.errors import BadRequest, UpstreamFailed
from bartizan.gateway.guard import OutputGuard
from bartizan.gateway.sse import EventSplitter
from bartizan.gateway.stream import Holdback
from bartizan.gateway.wires import WIRES

PARTS = {"role": "user", "content": [{"type": "text", "text": "x"}]}
GOOD = {
    "openai-chat": {
        "model": "m",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}],
        "tools": [],
    },
    "openai-responses": {"model": "m", "input": [{"role": "user", "content": [{"type": "input_text", "text": "x"}]}]},
    "anthropic-messages": {
        "model": "m",
        "system": "s",
        "messages": [{"role": "user", "content": "x"}],
        "max_tokens": 5,
    },
    "anthropic-count-tokens": {"model": "m", "messages": [{"role": "user", "content": "x"}]},
    "openai-completions": {"model": "m", "prompt": ["x"]},
    "openai-embeddings": {"model": "m", "input": ["x"]},
}
ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.text(max_size=4)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)


def damaged(draw, node, odd):
    """Put odd values in random places of a good request."""
    if draw.random() < 0.12:
        return odd
    if isinstance(node, dict):
        return {key: damaged(draw, value, odd) for key, value in node.items() if draw.random() > 0.05}
    return [damaged(draw, value, odd) for value in node] if isinstance(node, list) else node


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), ODD)
def test_a_damaged_request_is_understood_or_refused(wire, seed, odd):
    """Nothing else: no other error leaves the parser, and a refusal can be said for all that was understood."""
    draw = random.Random(seed)
    body = json.dumps(damaged(draw, GOOD[wire.name], odd)).encode()
    if draw.random() < 0.3:
        body = bytes(byte if draw.random() > 0.01 else draw.randrange(256) for byte in body)
    try:
        asked = wire.parse(body)
    except BadRequest:
        return
    assert wire.refuse(asked, "no").body
    wire.reader(asked).cut("no")


WORDS = "choices delta content tool_calls function arguments index usage type response output item message id"


def known(draw, odd):
    """A document with the words that readers look for, and odd values under them."""
    words = WORDS.split()
    kinds = ["response.completed", "content_block_start", "content_block_delta", "message_start", "x.delta", odd]
    document = dict.fromkeys(draw.sample(words, 4), odd) | {"type": draw.choice(kinds)}
    choice = draw.choice([{"delta": odd, "index": odd, "message": odd}, {"delta": {"tool_calls": [odd]}}])
    document["choices"] = draw.choice([odd, [odd], [choice]])
    document["content"] = draw.choice([odd, [odd], [{"type": "thinking", "input": odd}]])
    place = draw.choice(["delta", "content_block", "response", "item", "message", "error"])
    document[place] = draw.choice([odd, {"usage": odd, "output": [odd]}])
    return document


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32), ODD)
def test_known_words_with_odd_values_never_break_the_guard(wire, seed, odd):
    """Every reader takes any JSON under the keys that it knows."""
    draw = random.Random(seed)
    asked = wire.parse(json.dumps(GOOD[wire.name]).encode())
    body = json.dumps(known(draw, odd)).encode()
    guard = OutputGuard(wire.reader(asked), controls("redact"), None, SystemClock())
    guard.feed(b"data: " + body + b"\n\n")
    guard.end()
    wire.reader(asked).cut("no")
    whole = OutputGuard(wire.reader(asked), controls("redact"), None, SystemClock())
    whole.whole(body)
    assert "control-failed" not in [finding.rule for finding in (*guard.findings, *whole.findings)], body


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
@settings(max_examples=120, deadline=None)
@given(data=st.binary(max_size=300), odd=ODD)
def test_an_odd_answer_never_breaks_the_guard(wire, data, odd):
    """Streams and whole answers of any bytes: screened, or closed; no exception reaches the exchange."""
    asked = wire.parse(json.dumps(GOOD[wire.name]).encode())
    raw = b"data: " + json.dumps(odd).encode() + b"\n\ndata: " + data + b"\n\n" + data
    guard = OutputGuard(wire.reader(asked), controls("redact"), None, SystemClock())
    guard.feed(raw)
    guard.end()
    for body in (data, json.dumps(odd).encode()):
        whole = OutputGuard(wire.reader(asked), controls("redact"), None, SystemClock())
        whole.whole(body)
        assert "control-failed" not in [finding.rule for finding in (*guard.findings, *whole.findings)]


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"m","messages":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
        b'{"model":"m","messages":[{"role":"user","content":"hi"}],"n":' + b"9" * 5000 + b"}",
        b'{"model":"m","messages":[{"role":"user","content":"\\ud800"}]}',
        b"\x00" * 1000,
        b"",
        b"null",
    ],
    ids=["deep array", "deep object", "long number", "half surrogate", "zeros", "empty", "null"],
)
async def test_hostile_bodies_are_a_400_on_every_route(world, body):
    """Clear, in the dialect's form, and nothing is forwarded."""
    async with world.client() as client:
        for wire in WIRES:
            answer = await client.post(wire.paths[0], content=body)
            assert answer.status_code == 400, (wire.name, answer.text)
            assert answer.json()["error"]["message"]
    assert world.upstream.sent == []


@pytest.mark.parametrize("second", ["messages", "Messages", "MESSAGES", "me\\u0073sages"])
async def test_a_second_reading_of_the_request_is_refused(world, second):
    """A server behind us that takes the other key would see what was not screened."""
    hidden = json.dumps([{"role": "user", "content": "this is forbidden"}])
    body = chat()[:-1] + f',"{second}":{hidden}'.encode() + b"}"
    async with world.client() as client:
        answer = await client.post("/v1/chat/completions", content=body)
    assert answer.status_code == 400
    assert world.upstream.sent == []


def test_an_endless_event_costs_bounded_memory():
    """It is refused, not kept."""
    splitter = EventSplitter()
    pieces = itertools.repeat(b"data: " + b"x" * 262_144, 100)
    with pytest.raises(UpstreamFailed):
        collections.deque(map(splitter.feed, pieces), maxlen=0)
    assert len(splitter.rest()) < 10_000_000


def test_a_deep_event_is_screened_or_closed():
    """A million brackets do not end the process."""
    wire = WIRES[0]
    asked = wire.parse(json.dumps(GOOD[wire.name]).encode())
    guard = OutputGuard(wire.reader(asked), controls("block"), None, SystemClock())
    guard.feed(b'data: {"choices":' + b"[" * 100_000 + b"\n\n")
    assert isinstance(guard.end(), bytes)
    assert Holdback(wire.reader(asked), ()).flush() == b""

"""Things nobody has invented yet: unknown fields and events must reach the client untouched."""

import json
import random

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gateway.test_stream import chat_stream, controls, message_stream, random_cuts, response_stream, through

from bartizan.gateway.stream import Holdback
from bartizan.gateway.whole import screen_whole
from bartizan.gateway.wires.anthropic_messages import MessagesReader
from bartizan.gateway.wires.openai_answers import ChatReader
from bartizan.gateway.wires.openai_responses import ResponsesReader

STREAMS = [(ChatReader, chat_stream), (MessagesReader, message_stream), (ResponsesReader, response_stream)]
ODD_EVENTS = [
    b": keep-alive\n\n",
    b'event: brand_new\ndata: {"type":"brand_new","x":[1,{"y":null}]}\n\n',
    b"data: [1,2,3]\r\n\r\n",
    b"id: 7\nretry: 10\ndata: null\n\n",
    b"data:\n\n",
    b"data: not json at all\n\n",
    b"\n\n",
    b'event: ping\ndata: {"type": "ping"}\n\n',
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def mutate(draw, document, extra):
    """Put unknown fields at random places of a document, and change the order of its keys."""
    if isinstance(document, dict):
        changed = {key: mutate(draw, value, extra) for key, value in document.items()}
        if draw.random() < 0.5:
            changed[f"unknown_{draw.randrange(99)}"] = draw.choice(extra)
        keys = list(changed)
        draw.shuffle(keys)
        return {key: changed[key] for key in keys}
    return [mutate(draw, value, extra) for value in document] if isinstance(document, list) else document


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(STREAMS), st.lists(JSON, min_size=1, max_size=4))
def test_unknown_fields_and_events_pass_untouched(seed, dialect, extra):
    """Byte for byte, in order, whatever stands between the known ones."""
    reader, stream = dialect
    draw = random.Random(seed)
    raw = b""
    for block in stream(["Hello ", "wor", "ld, all is well. "]).split(b"\n\n")[:-1]:
        head, _, data = block.partition(b"data: ")
        if data.startswith(b"{"):
            data = json.dumps(mutate(draw, json.loads(data), extra), ensure_ascii=draw.random() < 0.5).encode()
        raw += head + b"data: " + data + b"\n\n"
        if draw.random() < 0.4 and data != b"[DONE]":
            raw += draw.choice(ODD_EVENTS)
    holdback = Holdback(reader("m"), controls("block"))
    assert through(holdback, random_cuts(draw, raw)) == raw
    assert not holdback.blocked


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.lists(JSON, min_size=1, max_size=4))
def test_unknown_fields_of_whole_answers_pass_untouched(seed, extra):
    """The same object comes back."""
    draw = random.Random(seed)
    answer = {
        "choices": [{"message": {"content": "hi", "tool_calls": []}}],
        "content": [{"type": "text", "text": "hi"}],
    }
    body = json.dumps(mutate(draw, {**answer, "output": [{"content": [{"text": "hi"}]}]}, extra)).encode()
    for reader in (ChatReader, MessagesReader, ResponsesReader):
        assert screen_whole(reader("m"), controls("block"), body).body is body

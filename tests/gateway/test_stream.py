"""The hold-back: whatever the cuts, nothing of a planted span comes out, and everything else does."""

import itertools
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gateway.samples import CANARY, LINKS, PERSONAL, PROSE, QUOTE, SECRETS, SYSTEM

from bartizan.core.messages import Message, Prompt, Role
from bartizan.core.verdicts import Allow, Block
from bartizan.gateway.edits import REDACTED
from bartizan.gateway.output.base import Active, Hit, Look
from bartizan.gateway.output.leak import Leak
from bartizan.gateway.output.links import Links
from bartizan.gateway.output.personal import PersonalData
from bartizan.gateway.output.secrets import Secrets
from bartizan.gateway.rulings import Ruling
from bartizan.gateway.stream import FORCED, Holdback, redact
from bartizan.gateway.wires.anthropic_messages import MessagesReader
from bartizan.gateway.wires.openai_answers import ChatReader
from bartizan.gateway.wires.openai_responses import ResponsesReader

PROMPT = Prompt("m", (Message.of(Role.SYSTEM, SYSTEM),))
PLANTED = [*SECRETS, *PERSONAL, *LINKS, CANARY, CANARY[::-1].lower(), "K.E.S.T.R.E.L 4471 q x", QUOTE]


def controls(action):
    """All controls with one action."""
    made = (Secrets(), PersonalData(), Links(["docs.python.org"]), Leak((CANARY,), [SYSTEM], 8))
    return tuple(Active(control, action) for control in made)


def sse(document):
    return b"data: " + json.dumps(document, ensure_ascii=False).encode() + b"\n\n"


def chat_stream(deltas):
    """A Chat Completions stream of text deltas."""
    events = [sse({"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})]
    events += [sse({"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": part}}]}) for part in deltas]
    events.append(sse({"id": "c", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}))
    return b"".join(events) + b"data: [DONE]\n\n"


def chat_text(raw):
    """What a client of such a stream has read."""
    said = ""
    for block in raw.decode().split("\n\n"):
        if block.startswith("data: {"):
            for choice in json.loads(block[6:])["choices"]:
                said += choice["delta"].get("content") or ""
    return said


def message_stream(deltas):
    """An Anthropic stream; every third delta opens a new text block."""
    events = [
        {"type": "message_start", "message": {"id": "m", "model": "m", "content": [], "usage": {"input_tokens": 3}}}
    ]
    index = 0
    for number, part in enumerate(deltas):
        if number % 3 == 0:
            if number:
                events.append({"type": "content_block_stop", "index": index})
                index += 1
            events.append(
                {"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": ""}}
            )
        events.append({"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": part}})
    events.append({"type": "content_block_stop", "index": index})
    events.append({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}})
    events.append({"type": "message_stop"})
    return b"".join(b"event: " + event["type"].encode() + b"\n" + sse(event) for event in events)


def message_text(raw):
    """What a client of such a stream has read."""
    said = ""
    for block in raw.decode().split("\n\n"):
        if block:
            said += json.loads(block.split("data: ", 1)[1]).get("delta", {}).get("text", "")
    return said


def response_stream(deltas):
    """A Responses stream without the repeating events at its end."""
    events = [{"type": "response.created", "response": {"id": "r", "model": "m"}}]
    events += [{"type": "response.output_text.delta", "output_index": 0, "delta": part} for part in deltas]
    events.append({"type": "response.completed", "response": {"id": "r", "model": "m", "output": []}})
    return b"".join(b"event: " + event["type"].encode() + b"\n" + sse(event) for event in events)


def response_text(raw):
    """What a client of such a stream has read."""
    found = [json.loads(block.split("data: ", 1)[1]) for block in raw.decode().split("\n\n") if block]
    return "".join(event["delta"] for event in found if event["type"] == "response.output_text.delta")


DIALECTS = [
    (ChatReader, chat_stream, chat_text),
    (MessagesReader, message_stream, message_text),
    (ResponsesReader, response_stream, response_text),
]


def cut(data, points):
    """Cut at these points, wherever they fall."""
    edges = [0, *sorted({point % (len(data) + 1) for point in points}), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges) if start < end]


def through(holdback, pieces):
    """Feed all pieces and the end."""
    return b"".join([*(holdback.feed(piece) for piece in pieces), holdback.end()])


def planted_text(draw):
    """Prose with planted things between words; returns the text and where they are."""
    text, spans = "", []
    for _ in range(draw.randrange(1, 5)):
        text += draw.choice(PROSE)
        if draw.random() < 0.7:
            thing = draw.choice(PLANTED)
            spans.append((len(text), len(text) + len(thing)))
            text += thing + draw.choice([" ", "\n", ". ", ", "])
    return text + draw.choice(PROSE), spans


def random_cuts(draw, text):
    return cut(
        text,
        [draw.randrange(len(text) + 1) for _ in range(draw.randrange(0, 1 + len(text) // draw.choice([2, 5, 20])))],
    )


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(DIALECTS))
def test_redaction_does_not_depend_on_the_cuts(seed, dialect):
    """Every control, every dialect: the client reads exactly what it would have read of the whole text at once."""
    reader, stream, read = dialect
    draw = random.Random(seed)
    text, spans = planted_text(draw)
    raw = stream(random_cuts(draw, text))
    holdback = Holdback(reader("m"), controls("redact"))
    out = through(holdback, random_cuts(draw, raw))
    assert read(out) == redact(controls("redact"), text)[0]
    assert holdback.redacted >= len(spans) - text.count(QUOTE)
    for start, end in spans:
        assert text[start:end] not in read(out)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(DIALECTS))
def test_nothing_of_a_blocked_span_is_delivered(seed, dialect):
    """What comes before may pass; of the span not one character does."""
    reader, stream, read = dialect
    draw = random.Random(seed)
    text, spans = planted_text(draw)
    holdback = Holdback(reader("m"), controls("block"))
    said = read(through(holdback, random_cuts(draw, stream(random_cuts(draw, text)))))
    if not spans:
        assert said == text
        return
    assert holdback.blocked
    before, _, refusal = said.rpartition("I'm sorry")
    assert refusal
    assert text[: spans[0][0]].startswith(before)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(DIALECTS))
def test_clean_streams_pass_byte_for_byte(seed, dialect):
    """Not one byte differs, and nothing is kept back at the end."""
    reader, stream, _ = dialect
    draw = random.Random(seed)
    raw = stream(random_cuts(draw, "".join(draw.choice(PROSE) for _ in range(3))))
    holdback = Holdback(reader("m"), controls("block"))
    assert through(holdback, random_cuts(draw, raw)) == raw
    assert holdback.findings == []


class LeakyControl:
    """A control with the defect that the hold-back must not have: it never holds."""

    name = "leaky"

    def overhear(self, text):
        return True

    def look(self, text, *, final):
        at = text.find("forbidden")
        return Look([Hit(at, at + 9, "x", "y")] if at >= 0 else [], len(text))


def test_this_test_would_notice_a_leak():
    """With a control that never holds, the span does get out: the property above is able to fail."""
    holdback = Holdback(ChatReader("m"), (Active(LeakyControl(), "redact"),))
    assert "forbid" in chat_text(through(holdback, [chat_stream(["forbid", "den"])]))


def call_stream(arguments, name="send"):
    """A stream with one tool call whose arguments come in pieces."""
    first = {"index": 0, "id": "c1", "type": "function", "function": {"name": name, "arguments": ""}}
    deltas = [{"tool_calls": [first]}]
    deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": part}}]} for part in arguments]
    events = [sse({"choices": [{"index": 0, "delta": delta}]}) for delta in deltas]
    events.append(sse({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}))
    return [*events, b"data: [DONE]\n\n"]


def test_a_tool_call_is_held_until_it_is_complete():
    """Not even its name leaves before the arguments are all there; then all of it, byte for byte."""
    seen = []

    def decide(call):
        seen.append(call)
        return Ruling(Allow())

    events = call_stream(['{"to":', '"bob"}'])
    holdback = Holdback(ChatReader("m"), controls("block"), decide)
    outs = [holdback.feed(event) for event in events]
    assert outs[:3] == [b"", b"", b""]
    assert b"".join(outs) == b"".join(events)
    assert [(call.id, call.tool, call.arguments) for call in seen] == [("c1", "send", '{"to":"bob"}')]


def test_a_tool_call_that_policy_forbids_never_leaves():
    """The stream ends in a refusal instead."""
    holdback = Holdback(ChatReader("m"), (), lambda call: Ruling(Block("not allowed")))
    out = through(holdback, call_stream(['{"to":"mallory"}']))
    assert b"mallory" not in out
    assert b"send" not in out
    assert b"content_filter" in out
    assert holdback.findings[0].rule == "tool-call"


@pytest.mark.parametrize("action", ["redact", "block"])
def test_a_secret_hidden_by_escapes_in_arguments_is_found(action):
    """JSON inside JSON: \\u0041 is A. What only shows once escapes are read blocks the call."""
    hidden = '{"k":"' + SECRETS[0].replace("A", "\\u0041") + '"}'
    holdback = Holdback(ChatReader("m"), controls(action))
    out = through(holdback, call_stream([hidden[:9], hidden[9:]]))
    assert holdback.blocked
    assert b"WXYZ" not in out


def test_a_plain_secret_in_arguments_is_cut_out():
    """The arguments stay JSON."""
    holdback = Holdback(ChatReader("m"), controls("redact"))
    out = through(holdback, call_stream(['{"k":"' + SECRETS[0][:7], SECRETS[0][7:] + '"}']))
    assert json.dumps(json.dumps({"k": REDACTED}, separators=(",", ":"))).encode() in out


def test_signed_thinking_is_never_rewritten():
    """A redaction in it would break its signature: the answer is blocked instead."""
    delta = {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "thinking_delta", "thinking": SECRETS[0] + " "},
    }
    holdback = Holdback(MessagesReader("m"), controls("redact"))
    out = through(holdback, [b"event: content_block_delta\n" + sse(delta)])
    assert holdback.blocked
    assert b"AKIA" not in out


def test_logprobs_do_not_spell_out_what_was_cut():
    """Token lists leave with the redacted event only as null."""
    choice = {"index": 0, "delta": {"content": SECRETS[0] + " "}, "logprobs": {"content": [{"token": SECRETS[0]}]}}
    out = through(Holdback(ChatReader("m"), controls("redact")), [sse({"choices": [choice]})])
    assert b"AKIA" not in out


def test_events_we_cannot_read_are_searched_too():
    """Something that is not JSON is text."""
    holdback = Holdback(ChatReader("m"), controls("redact"))
    out = through(holdback, [b"data: oops " + SECRETS[0].encode() + b"\n\n"])
    assert holdback.blocked
    assert b"AKIA" not in out


def test_memory_is_bounded():
    """A run without an end is decided once it is longer than anything we look for."""
    holdback = Holdback(ChatReader("m"), controls("block"))
    for _ in range(60):
        holdback.feed(sse({"choices": [{"index": 0, "delta": {"content": "x" * 1000}}]}))
    assert holdback.longest_hold <= FORCED + 1000


def test_flush_gives_back_everything_held():
    """For an operator who lets answers pass when a control fails."""
    holdback = Holdback(ChatReader("m"), controls("block"))
    events = chat_stream(["half a wor"])
    out = holdback.feed(events[:-60])
    assert out + holdback.flush() == events[:-60]

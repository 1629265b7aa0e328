"""What every dialect must do, whichever it is."""

import json

import pytest

from bartizan.core.errors import BadRequest
from bartizan.gateway.sse import EventSplitter
from bartizan.gateway.wires import WIRES

ASKED = {
    "openai-chat": {"model": "m", "messages": [{"role": "user", "content": "hello"}]},
    "openai-responses": {"model": "m", "input": "hello"},
    "anthropic-messages": {"model": "m", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 5},
    "anthropic-count-tokens": {"model": "m", "messages": [{"role": "user", "content": "hello"}]},
    "openai-completions": {"model": "m", "prompt": "hello"},
    "openai-embeddings": {"model": "m", "input": "hello"},
}
every_wire = pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)


def asked(wire, **more):
    return wire.parse(json.dumps({**ASKED[wire.name], **more}).encode())


def test_names_and_routes_are_distinct():
    """A path belongs to exactly one dialect."""
    paths = [path for wire in WIRES for path in wire.paths]
    assert len(paths) == len(set(paths))
    assert len({wire.name for wire in WIRES}) == len(WIRES)


@every_wire
def test_the_users_text_is_found_and_the_model_too(wire):
    """What the screen does not get it cannot screen."""
    prompt = asked(wire).prompt
    assert prompt.model == "m"
    assert "hello" in [text.content for message in prompt.messages for text in message.texts()]


@every_wire
@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"model":1}', b'{"model":"m","model":"n"}', b"\xff"])
def test_what_is_not_a_request_is_refused(wire, body):
    """As a bad request, never as a crash."""
    with pytest.raises(BadRequest):
        wire.parse(body)


@every_wire
def test_a_refusal_and_an_error_can_be_read_by_its_own_reader(wire):
    """They are answers in the dialect: whole and streamed, with the text in them, the last event last."""
    refused = wire.refuse(asked(wire), "cannot help")
    assert b"cannot help" in refused.body
    assert json.loads(wire.error(403, "not_allowed", "no").body)["error"]["message"] == "no"
    if not wire.generates:
        return
    request = asked(wire, stream=True)
    reader = wire.reader(request)
    events = [reader.event(event) for event in EventSplitter().feed(wire.refuse(request, "cannot help").body)]
    assert [read.last for read in events] == [False] * (len(events) - 1) + [True]
    assert any("cannot help" in piece.text for read in events for piece in read.pieces)


@every_wire
def test_a_dialect_that_generates_has_a_limit_to_bring_down(wire):
    """A ceiling per key must hold on each of them."""
    assert bool(wire.cap_keys) == wire.generates

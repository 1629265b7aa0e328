"""Defects that other gateways had on the wire, each as a test of ours. Their reports are linked above each test."""

import asyncio
import json

import httpx
import pytest
from tests.gateway.conftest import World, chat
from tests.gateway.test_stream import call_stream, controls, sse, through

from bartizan.core.verdicts import Allow
from bartizan.gateway.auth import BookKeys, SharedKey
from bartizan.gateway.call import Call
from bartizan.gateway.keys import KeyBook
from bartizan.gateway.rulings import Ruling
from bartizan.gateway.stream import Holdback
from bartizan.gateway.testing import StubUpstream
from bartizan.gateway.wires.openai_answers import ChatReader

URL = "/v1/chat/completions"


@pytest.fixture
def world():
    """A gateway in memory."""
    return World()


def passes(*events):
    """Whether a stream comes through untouched with every control on."""
    return through(Holdback(ChatReader("m"), controls("block")), list(events)) == b"".join(events)


# maximhq/bifrost#6523: the first delta, which holds only the role, was dropped; clients then saw no tool calls.
def test_bifrost_6523_a_role_only_first_delta_is_kept():
    """It is what tells a client whose turn it is."""
    first = sse({"choices": [{"index": 0, "delta": {"role": "assistant"}, "finish_reason": None}]})
    assert passes(first, *call_stream(['{"a":', "1}"]))


# maximhq/bifrost#3443: an extra delta with empty arguments was added.
def test_bifrost_3443_no_delta_is_added():
    """As many events out as in."""
    events = call_stream(['{"a":1}'])
    out = through(Holdback(ChatReader("m"), controls("block")), events)
    assert out.count(b"data: ") == len(events)


# maximhq/bifrost#5959: text deltas arrived before the item they belong to was announced.
def test_bifrost_5959_order_is_kept_when_some_text_is_held():
    """An event behind a held one waits, so that nothing overtakes."""
    holdback = Holdback(ChatReader("m"), controls("redact"))
    held = sse({"choices": [{"index": 0, "delta": {"content": "half"}}]})
    ping = b": ping\n\n"
    assert holdback.feed(held + ping) == b""
    more = sse({"choices": [{"index": 0, "delta": {"content": " done "}}]})
    assert holdback.feed(more) == held + ping + more


# api7/aisix#202: tool call deltas were dropped because the chunk's type did not know them.
def test_aisix_202_fields_nobody_modelled_pass():
    """Whatever a delta holds."""
    delta = {"brand_new_calls": [{"index": 0, "x": {"y": 1}}], "z": None}
    assert passes(sse({"choices": [{"index": 0, "delta": delta}]}))


# sst/opencode#43328: explicit nulls in later deltas overwrote the tool's name.
def test_opencode_43328_explicit_nulls_do_not_rename_a_call():
    """Policy sees the name that was given first."""
    seen = []
    events = call_stream(['{"a":1}'], name="send")
    null = {"tool_calls": [{"index": 0, "id": None, "function": {"name": None, "arguments": " "}}]}
    events.insert(2, sse({"choices": [{"index": 0, "delta": null}]}))

    def decide(call):
        seen.append(call.tool)
        return Ruling(Allow())

    Holdback(ChatReader("m"), (), decide).feed(b"".join(events))
    assert seen == ["send"]


# BerriAI/litellm#18731: an expired key was echoed in the error's `param`; #39293: in the body of a 429.
async def test_litellm_18731_39293_errors_never_repeat_a_key(world, tmp_path):
    """Expired, revoked, mistyped, unknown: not in body, headers or record."""
    book = KeyBook(tmp_path / "keys.json", world.clock)
    _key, text = book.create("bob", days=1e-9)
    world.auth = BookKeys(book)
    async with world.client() as client:
        for presented in (text, text[:-1], "sk-" + "a" * 40):
            answer = await client.post(URL, content=chat(), headers={"authorization": f"Bearer {presented}"})
            assert answer.status_code == 401
            for place in (answer.text, str(answer.headers), str(world.records)):
                assert presented not in place
                assert presented[-20:] not in place


# BerriAI/litellm#39964: the provider's key stood in a traceback of the log.
async def test_litellm_39964_failures_do_not_log_keys(world, caplog):
    """Neither the client's key nor the upstream's words."""
    world.auth = SharedKey("client-secret-key")
    world.upstream = StubUpstream(fails="connect: bad key sk-provider-secret")
    async with world.client() as client:
        answer = await client.post(URL, content=chat(), headers={"x-api-key": "client-secret-key"})
    assert "sk-provider-secret" not in answer.text + str(world.records)
    assert "client-secret-key" not in caplog.text + str(world.records)


# BerriAI/litellm#14457, #36008: a client that went away left no trace of what it had used.
async def test_litellm_14457_an_aborted_stream_is_recorded(world):
    """The record says aborted and how much had come."""
    event = b'data: {"choices":[{"index":0,"delta":{"content":"word "}}]}\n\n'
    world.upstream = StubUpstream([event] * 100_000, content_type=b"text/event-stream")
    async with world.server() as url, httpx.AsyncClient() as client:
        async with client.stream("POST", url + URL, content=chat(stream=True)) as answer:
            async for _ in answer.aiter_bytes():
                break
        async with asyncio.timeout(5):
            while world.records[-1][0] != "stream-end":
                await asyncio.sleep(0.01)
    _kind, record = world.records[-1]
    assert (record["outcome"], record["answer_bytes"] > 0) == ("aborted", True)
    assert world.upstream.answers[0].released


# A cancelled handler (the server stops while an answer is awaited) must not lose the record either.
async def test_a_cancelled_stream_is_recorded(world):
    """Cancellation is no exception that `except Exception` would see."""
    world.upstream = StubUpstream([b"data: x \n\n"] * 10_000_000, content_type=b"text/event-stream")
    app = world.app()

    async def read():
        answer = await app.answer(Call("POST", URL, [], chat(stream=True)))
        try:
            async for _ in answer.pieces:
                await asyncio.sleep(0)
        finally:
            await answer.pieces.close()

    async with app.running():
        reading = asyncio.create_task(read())
        async with asyncio.timeout(10):
            while not world.records:
                await asyncio.sleep(0.01)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
    assert world.records[-1][1]["outcome"] == "aborted"
    assert json.loads(json.dumps(world.records[-1][1]))

"""Logs for machines: after requests that fail in every way each line is a JSON object, and none holds a secret."""

import io
import json
import logging
import warnings

import httpx
import pytest
from tests.gateway.conftest import chat

from bartizan.core.errors import UpstreamFailed
from bartizan.gateway import logs, meter
from bartizan.gateway.auth import BookKeys
from bartizan.gateway.health import Health
from bartizan.gateway.keys import KeyBook
from bartizan.gateway.meter import Meter
from bartizan.gateway.testing import StubUpstream
from bartizan.gateway.traceparent import Tracing

URL = "/v1/chat/completions"
CANARY = "CANARY-4711-XYZZY"
EVENT = b'data: {"choices":[{"delta":{"content":"a b "}}]}\n\n'


@pytest.fixture
def stream():
    """What is logged; the loggers are as before afterwards."""
    root, written = logging.getLogger(), io.StringIO()
    before = root.handlers[:]
    root.handlers[:] = []
    logs.set_up("json", requests=True, stream=written)
    yield written
    root.handlers[:] = before
    logging.captureWarnings(False)
    meter.request_log.handlers.clear()
    meter.request_log.propagate = True
    meter.request_log.setLevel(logging.NOTSET)


async def test_every_line_is_json_and_none_holds_a_secret(world, stream, tmp_path):
    """Answers, cut streams, wrong keys, broken bodies, a screen that crashes, a ledger that fails, bugs of others."""
    book = KeyBook(tmp_path / "keys.json", world.clock)
    _, key = book.create("bob", days=1)
    world.auth = BookKeys(book)
    world.options |= {"tracing": Tracing(1.0, join=True), "meter": Meter()}
    forged = f'm"}}\n{{"forged": true}} {CANARY}'
    async with world.server() as url, httpx.AsyncClient(base_url=url, headers={"x-api-key": key}) as client:

        async def ask(body, upstream, **headers):
            world.upstream.__dict__ |= upstream.__dict__
            try:
                return (await client.post(URL, content=body, headers=headers)).text
            except httpx.RemoteProtocolError as error:
                return str(error)

        cut = StubUpstream((EVENT, UpstreamFailed("cut\nshort")), content_type=b"text/event-stream")
        for body, upstream in (
            (chat(CANARY), StubUpstream((b"{}",))),
            (chat(CANARY, stream=True), cut),
            (chat(CANARY), StubUpstream(fails="connect\nto 10.0.0.7 refused")),
            (chat(CANARY, model=forged), StubUpstream(fails="no")),
            (chat(f"forbidden {CANARY}"), StubUpstream()),
            (chat(f"\N{SKULL} {CANARY}"), StubUpstream()),
            (f'{{"model": "{CANARY}'.encode(), StubUpstream()),
        ):
            await ask(body, upstream)
        await ask(chat(), StubUpstream(), **{"x-api-key": f"bz_{CANARY}", "authorization": f"Bearer {CANARY}"})
        world.log.fails = True
        await ask(chat(CANARY), StubUpstream((b"{}",)))
    Health(StubUpstream(name="a\nb"), "/health").failed("x")
    try:
        raise ValueError(CANARY)
    except ValueError:
        logging.getLogger("somebody").exception("broke")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert {line["level"] for line in lines} == {"INFO", "WARNING", "ERROR"}
    assert all(line["time"].endswith("+00:00") and line["logger"] for line in lines)
    requests = [line for line in lines if line["logger"] == "bartizan.requests"]
    assert len(requests) >= 8
    assert all(len(line["trace_id"]) == 32 for line in requests)
    assert {line["logger"] for line in lines} >= {"bartizan.gateway", "somebody", "py.warnings"}
    assert [line["error"].partition(" in ")[0] for line in lines if "error" in line] == ["ValueError"]
    for secret in (CANARY, key, key.partition(".")[2]):
        assert secret not in stream.getvalue()


def test_text_is_for_people(stream):
    """The default: a time, a level, a name, the words."""
    root = logging.getLogger()
    root.handlers[:] = []
    logs.set_up("text", requests=False, stream=stream)
    logging.getLogger("bartizan.gateway").warning("upstream %s is down", "a")
    assert stream.getvalue().endswith(" WARNING bartizan.gateway upstream a is down\n")

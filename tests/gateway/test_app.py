"""Routes and bounds of the application."""

import asyncio

import pytest
from tests.gateway.conftest import chat, lifespan

from bartizan.gateway import app as app_module
from bartizan.gateway.testing import StubUpstream

URL = "/v1/chat/completions"


async def test_health_needs_no_key_and_no_upstream(world):
    """/healthz answers as long as the process lives."""
    async with world.client() as client:
        assert (await client.get("/healthz")).json() == {"status": "ok"}


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", URL, 405), ("POST", "/v1/nothing", 404), ("GET", "/", 404)]
)
async def test_unknown_routes_are_refused_in_a_form_clients_read(world, method, path, status):
    """404 and 405 carry an error object."""
    async with world.client() as client:
        answer = await client.request(method, path)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


async def test_a_body_over_the_limit_is_413(world):
    """Announced or not, a body over the limit is not read to its end."""
    world.body_bytes = 1000

    async def pieces():
        for _ in range(100):
            yield b" " * 100

    async with world.client() as client:
        assert (await client.post(URL, content=b" " * 1001)).status_code == 413
        assert (await client.post(URL, content=pieces())).status_code == 413
    assert world.upstream.sent == []


async def test_a_compressed_body_is_not_taken(world):
    """What is not read cannot be screened."""
    async with world.client() as client:
        answer = await client.post(URL, content=chat(), headers={"content-encoding": "gzip"})
    assert answer.status_code == 415


async def test_a_gate_that_cannot_open_stops_the_server(world):
    """The lifespan reports the failure instead of serving without evidence."""
    app = world.app()

    def broken():
        raise OSError("no ledger")

    app._open_gate = broken
    with pytest.raises(AssertionError, match="no ledger"):
        async with lifespan(app):
            pass


async def test_a_client_that_reads_nothing_is_given_up(world, monkeypatch):
    """Its upstream is given back and the record says aborted."""
    monkeypatch.setattr(app_module, "_READ_S", 0.05)
    world.upstream = StubUpstream([b"data: x \n\n"] * 10, content_type=b"text/event-stream")
    asked = iter([True])

    async def receive():
        if not next(asked, False):
            await asyncio.sleep(60)
        return {"type": "http.request", "body": chat(stream=True), "more_body": False}

    async def send(message):
        if message["type"] == "http.response.body":
            await asyncio.sleep(60)

    app = world.app()
    scope = {"type": "http", "path": URL, "method": "POST", "headers": [], "query_string": b""}
    async with lifespan(app):
        await asyncio.wait_for(app(scope, receive, send), 5)
    assert world.upstream.answers[0].released
    assert world.records[-1][1]["outcome"] == "aborted"

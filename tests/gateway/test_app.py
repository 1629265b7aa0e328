"""Routes and bounds of the application."""

import pytest
from tests.gateway.conftest import chat, lifespan

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

"""Routes and bounds of the application."""

import contextlib
import json

import pytest
from tests.gateway.conftest import chat

from bartizan.gateway.app import GatewayApp
from bartizan.gateway.call import Call

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


async def test_a_compressed_body_is_not_taken(world):
    """What is not read cannot be screened."""
    async with world.client() as client:
        answer = await client.post(URL, content=chat(), headers={"content-encoding": "gzip"})
    assert answer.status_code == 415


async def test_a_gate_that_cannot_open_stops_the_server():
    """The failure is raised instead of serving without evidence."""

    @contextlib.asynccontextmanager
    async def broken():
        raise OSError("no ledger")
        yield

    with pytest.raises(OSError, match="no ledger"):
        async with GatewayApp(broken).running():
            pass


async def test_nothing_is_answered_before_the_gate_is_open_or_after(world):
    """503, in the dialect's form."""
    app = world.app()
    for _ in range(2):
        answer = await app.answer(Call("POST", "/v1/messages", [], chat()))
        assert (answer.status, json.loads(answer.body)["error"]["type"]) == (503, "api_error")
        async with app.running():
            pass


async def test_an_early_refusal_reads_as_the_predictive_protocol_writes_errors(world):
    """Clients of /v2 look for a sentence under `error`."""
    said = world.app().refusal("/v2/models/m/infer", 413, "request_too_large", "Too large.")
    assert json.loads(said.body)["error"] == "Too large."

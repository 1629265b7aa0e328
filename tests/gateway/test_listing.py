"""One list of models out of several servers' lists."""

import json

import pytest

from bartizan.core.errors import UpstreamFailed
from bartizan.gateway.health import Health
from bartizan.gateway.routing import Route, Routes
from bartizan.gateway.testing import StubUpstream
from bartizan.gateway.upstream import HttpUpstream


def serving(*names, **more):
    """A server with these models."""
    body = json.dumps({"object": "list", **more, "data": [{"id": name, "object": "model"} for name in names]})
    return StubUpstream((body[:9].encode(), body[9:].encode()))


async def names(routes):
    """What a client sees."""
    answer = await routes.send("GET", "/v1/models?limit=9", [], b"")
    body = b""
    while piece := await answer.read():
        body += piece
    answer.release()
    document = json.loads(body)
    assert (answer.status, document["object"]) == (200, "list")
    return [model["id"] for model in document["data"]]


async def test_each_server_lists_what_would_be_sent_to_it():
    """A name that two servers have is the first one's; what no pattern sends there is nobody's."""
    local, cloud = serving("llama-3", "gpt-5", "phi"), serving("gpt-5", "llama-3", "o9")
    routes = Routes([Route(("llama-*", "phi"), local), Route(("*",), cloud)])
    assert await names(routes) == ["llama-3", "phi", "gpt-5", "o9"]
    assert cloud.sent == [("GET", "/v1/models?limit=9", [], b"")]


@pytest.mark.parametrize(
    "broken",
    [
        StubUpstream(fails="cut"),
        StubUpstream((b"<html>",)),
        StubUpstream((b'{"data": {}}',)),
        StubUpstream((b"{}",), status=500),
        HttpUpstream("nowhere", "http://127.0.0.1:1"),
    ],
    ids=["fails", "no json", "no list", "error", "nobody there"],
)
async def test_a_server_that_gives_no_list_is_left_out(broken):
    """Alone it leaves nothing to tell."""
    assert await names(Routes([Route(("x",), broken), Route(("*",), serving("m"))])) == ["m"]
    with pytest.raises(UpstreamFailed):
        await names(Routes([Route(("x",), broken), Route(("*",), broken)]))


async def test_who_is_down_is_not_asked():
    """It would only make the list late."""
    down = serving("a")
    health = Health(down, "/health")
    health.failed("x")
    assert await names(Routes([Route(("a",), down, health), Route(("*",), serving("m"))])) == ["m"]
    assert down.sent == []


async def test_the_list_of_one_server_passes_as_it_is():
    """Byte for byte."""
    answer = await Routes([Route(("m",), serving("m", "other"))]).send("GET", "/v1/models", [], b"")
    assert b"other" in await answer.read() + await answer.read()


async def test_one_model_is_asked_where_it_is_served(world):
    """By its name in the path."""
    local, cloud = StubUpstream((b'{"id":"a/b"}',)), StubUpstream()
    world.upstream = Routes([Route(("a/*",), local), Route(("*",), cloud)])
    async with world.client() as client:
        assert (await client.get("/v1/models/a/b")).json() == {"id": "a/b"}
    assert (len(local.sent), len(cloud.sent)) == (1, 0)

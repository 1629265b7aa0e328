"""The list of models."""

from bartizan.gateway.testing import StubUpstream


async def test_the_list_is_the_upstreams(world):
    """Bytes as given."""
    world.upstream = StubUpstream((b'{"object":"list" ,"data":[]}',))
    async with world.client() as client:
        answer = await client.get("/v1/models")
    assert answer.content == b'{"object":"list" ,"data":[]}'
    assert world.upstream.sent[0][:2] == ("GET", "/v1/models")


async def test_an_upstream_that_is_down_is_502(world):
    """In OpenAI's error form."""
    world.upstream = StubUpstream(fails="down")
    async with world.client() as client:
        answer = await client.get("/v1/models")
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_failed")


async def test_one_model_is_asked_for_by_its_name(world):
    """Names with slashes too; nothing that climbs out of the route."""
    async with world.client() as client:
        assert (await client.get("/v1/models/org/name-7b:latest")).status_code == 200
        for path in ("/v1/models/../secrets", "/v1/models/a%20b", "/v1/models/%2e%2e/x", "/v1/modelsx"):
            assert (await client.get(path)).status_code == 404
    assert [target for _, target, _, _ in world.upstream.sent] == ["/v1/models/org/name-7b:latest"]

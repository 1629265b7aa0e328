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

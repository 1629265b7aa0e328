"""Who gives tokens: the checks of what servers say of it are in test_oauth; here, the places that it names."""

import pytest
from tests.mcp.http.authorization_server import AuthorizationServer
from tests.mcp.http.far_server import served

from bartizan.core.errors import UpstreamFailed
from bartizan.mcp.http.authority import Authority, object_in
from bartizan.mcp.http.outside import Outside


async def test_the_server_says_who_gives_tokens_and_that_one_says_where():
    """RFC 9728, then RFC 8414; a place inside the network is not gone to."""
    server = AuthorizationServer()
    async with served(server) as url:
        server.url, server.resource = url.removesuffix("/mcp"), url
        authority = Authority(url, "", Outside({"127.0.0.1"}))
        about = await authority.described()
        assert authority.endpoint(about, "token_endpoint").target == "/token"
        for says in ({}, {"token_endpoint": "https://10.0.0.1/x"}, {"token_endpoint": "javascript:alert(1)"}):
            with pytest.raises(UpstreamFailed):
                authority.endpoint(says, "token_endpoint")


def test_an_answer_that_is_no_object_is_none():
    """Nor one too deep to read."""
    for raw in (b"[]", b"{", b"[" * 100_000):
        with pytest.raises(UpstreamFailed):
            object_in(raw)

"""Tokens of our own: found where the server says, asked for that server alone, and nothing odd is followed."""

import pytest
from tests.mcp.http.authorization_server import AuthorizationServer
from tests.mcp.http.far_server import served

from bartizan.core.clock import StoppedClock
from bartizan.core.errors import UpstreamFailed
from bartizan.mcp.http.oauth import ClientToken, Us
from bartizan.mcp.http.outside import Outside


@pytest.fixture
async def giving():
    """An authorization server that runs, which is its own resource."""
    server = AuthorizationServer()
    async with served(server) as url:
        server.url, server.resource = url.removesuffix("/mcp"), url
        yield server


def token(giving, clock=None, secret="secret", issuer=""):
    """Return our way to tokens."""
    us = Us("us", secret, "read", issuer)
    return ClientToken(giving.resource, us, Outside({"127.0.0.1"}), clock or StoppedClock())


async def test_a_token_is_asked_for_this_server_alone_and_kept(giving):
    """With `resource`, once, and again when it is about to end."""
    clock = StoppedClock()
    ours = token(giving, clock)
    assert await ours.headers() == [("authorization", "Bearer token-0")]
    assert await ours.headers() == [("authorization", "Bearer token-0")]
    assert giving.given[0]["resource"] == giving.resource
    assert giving.given[0]["scope"] == "read"
    clock.advance(580)
    assert await ours.headers() == [("authorization", "Bearer token-1")]


async def test_a_refused_token_is_replaced_but_not_for_each_request(giving):
    """A server that refuses fresh ones must not make us fetch more."""
    clock = StoppedClock()
    ours = token(giving, clock)
    await ours.headers()
    assert not await ours.renew()
    clock.advance(11)
    assert await ours.renew()
    assert await ours.headers() == [("authorization", "Bearer token-1")]


async def test_the_operators_issuer_is_the_only_one(giving):
    """What the server says of others is not even asked."""
    await token(giving, issuer=giving.url).headers()
    assert "/.well-known/oauth-protected-resource" not in giving.asked


@pytest.mark.parametrize(
    "says",
    [
        {"resource": "https://other.test/mcp"},
        {"authorization_servers": []},
        {"authorization_servers": ["https://169.254.169.254/latest"]},
        {"authorization_servers": ["http://host.test/"]},
        {"issuer": "https://other.test"},
        {"token_endpoint": "https://10.0.0.1/token"},
        {"token_endpoint": "file:///etc/passwd"},
        {"token_endpoint": ["x"]},
        {"access_token": "a\r\nx: y"},
        {"access_token": ""},
        {"token_type": "mac"},
    ],
)
async def test_what_a_server_says_is_not_believed(giving, says):
    """Another's resource, another's issuer, places inside, tokens that would end a header."""
    giving.says = says
    with pytest.raises(UpstreamFailed) as caught:
        await token(giving).headers()
    assert "secret" not in str(caught.value)


async def test_a_wrong_secret_gets_no_token(giving):
    """And does not stand in the error."""
    with pytest.raises(UpstreamFailed, match="HTTP 401") as caught:
        await token(giving, secret="hunter2").headers()
    assert "hunter2" not in str(caught.value)

"""Registration: we are known under an id of our own where the server takes registrations, and nowhere else."""

import json

import pytest
from tests.mcp.http.authorization_server import AuthorizationServer
from tests.mcp.http.far_server import served

from bartizan.core.clock import StoppedClock
from bartizan.core.errors import UpstreamFailed
from bartizan.mcp.http.authority import Authority
from bartizan.mcp.http.consent import Consent, ConsentToken, keep
from bartizan.mcp.http.oauth import Us
from bartizan.mcp.http.outside import Outside

NOBODY = Us("", "", "read")
REDIRECT = "http://127.0.0.1:1/callback"
BASIC = {"token_endpoint_auth_method": "client_secret_basic", "client_secret": "s:e"}


@pytest.fixture
async def giving():
    """An authorization server that takes registrations, which is its own resource."""
    server = AuthorizationServer()
    server.registers = {}
    async with served(server) as url:
        server.url, server.resource = url.removesuffix("/mcp"), url
        yield server


def asking(giving):
    """A consent that is asked for by nobody in particular."""
    return Consent(Authority(giving.resource, "", Outside({"127.0.0.1"})), NOBODY, REDIRECT)


@pytest.mark.parametrize("answer", [{}, BASIC | {"client_secret": "secret"}])
async def test_we_register_consent_and_renew(giving, tmp_path, answer):
    """As a client without a secret, or with the one that we are given; the next process knows it from the file."""
    giving.registers, clock, path = answer, StoppedClock(), tmp_path / "token.json"
    consent = asking(giving)
    address = await consent.address()
    assert "client_id=client-0&" in address
    assert await consent.address()  # asking again registers no second client
    given = await consent.taken(giving.consent(address))
    keep(path, giving.resource, given, clock.wall_ns(), consent.us)
    token = ConsentToken(path, giving.resource, NOBODY, Outside({"127.0.0.1"}), clock)
    for number in (0, 1, 2):
        assert await token.headers() == [("authorization", f"Bearer token-{number}")]
        clock.advance(580)
    assert list(giving.clients) == ["client-0"]


async def test_the_client_is_of_its_issuer_alone(giving, tmp_path):
    """A resource that names another authorization server later gets our refresh token nowhere."""
    clock, path = StoppedClock(), tmp_path / "token.json"
    consent = asking(giving)
    given = await consent.taken(giving.consent(await consent.address()))
    keep(path, giving.resource, given, clock.wall_ns(), consent.us)
    giving.asked.clear()
    clock.advance(580)
    await ConsentToken(path, giving.resource, NOBODY, Outside({"127.0.0.1"}), clock).headers()
    assert giving.asked == ["/.well-known/oauth-authorization-server", "/token"]  # who gives tokens is not asked again


async def test_a_token_of_a_written_client_is_not_renewed_by_nobody(giving, tmp_path):
    """The settings lost their client_id: a person consents again."""
    clock, path = StoppedClock(), tmp_path / "token.json"
    consent = asking(giving)
    given = await consent.taken(giving.consent(await consent.address()))
    keep(path, giving.resource, given, clock.wall_ns())
    clock.advance(580)
    with pytest.raises(UpstreamFailed, match="mcp login"):
        await ConsentToken(path, giving.resource, NOBODY, Outside({"127.0.0.1"}), clock).headers()
    assert "client" not in json.loads(path.read_text())


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (None, "takes no registrations"),
        ({"client_id": "a\nb"}, "without a client_id"),
        ({"client_id": 7}, "without a client_id"),
        (BASIC | {"client_secret": ""}, "without a client_id or a secret"),
        ({"token_endpoint_auth_method": "client_secret_post"}, "otherwise than we asked"),
        ({"redirect_uris": ["https://evil.test/callback"]}, "otherwise than we asked"),
        ({"redirect_uris": None}, "otherwise than we asked"),
    ],
)
async def test_a_registration_that_is_none_is_refused(giving, answer, why):
    """No endpoint, an id that no header can hold, another way to prove who we are, another place to come back to."""
    giving.registers = answer
    with pytest.raises(UpstreamFailed, match=why):
        await asking(giving).address()


@pytest.mark.parametrize(
    ("says", "why"),
    [
        ({"registration_endpoint": "https://10.0.0.1/register"}, "registration_endpoint"),
        ({"registration_endpoint": "javascript:alert(1)"}, "javascript"),
        ({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}, "expected one of"),
        ({"token_endpoint_auth_methods_supported": "none"}, "expected one of"),
    ],
)
async def test_we_register_nowhere_that_we_may_not_go(giving, says, why):
    """Into the network, no place at all, or where none of our ways to prove who we are counts."""
    giving.says = says
    with pytest.raises(UpstreamFailed, match=why):
        await asking(giving).address()
    assert not giving.clients

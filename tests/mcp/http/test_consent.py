"""A person's consent: PKCE, state, issuer; kept by us alone, renewed, and asked for again when it has ended."""

import pytest
from tests.mcp.http.authorization_server import AuthorizationServer
from tests.mcp.http.far_server import served

from bartizan.core.clock import StoppedClock
from bartizan.core.errors import Refused, UpstreamFailed
from bartizan.mcp.http.authority import Authority
from bartizan.mcp.http.consent import Consent, ConsentToken, keep
from bartizan.mcp.http.oauth import Us
from bartizan.mcp.http.outside import Outside

US = Us("us", "", "read")
REDIRECT = "http://127.0.0.1:1/callback"


@pytest.fixture
async def giving():
    """An authorization server that runs, which is its own resource."""
    server = AuthorizationServer()
    async with served(server) as url:
        server.url, server.resource = url.removesuffix("/mcp"), url
        yield server


def asking(giving):
    """A consent that is asked for."""
    return Consent(Authority(giving.resource, "", Outside({"127.0.0.1"})), US, REDIRECT)


async def kept(giving, path, clock):
    """Consent, keep the token, and return what shows it."""
    consent = asking(giving)
    given = await consent.taken(giving.consent(await consent.address()))
    keep(path, giving.resource, given, clock.wall_ns())
    return ConsentToken(path, giving.resource, US, Outside({"127.0.0.1"}), clock)


async def test_a_person_consents_and_the_token_is_shown_and_renewed(giving, tmp_path):
    """For this resource alone, with PKCE; the next refresh token takes the place of the last; only we can read it."""
    clock, path = StoppedClock(), tmp_path / "deep" / "token.json"
    token = await kept(giving, path, clock)
    assert await token.headers() == [("authorization", "Bearer token-0")]
    assert giving.given[0]["resource"] == giving.resource
    assert path.stat().st_mode & 0o777 == 0o600
    for number in (1, 2):
        clock.advance(580)
        assert await token.headers() == [("authorization", f"Bearer token-{number}")]
    assert await token.headers() == [("authorization", "Bearer token-2")]
    assert not await token.renew()  # it is fresh: a server that refuses it must not make us ask for each request
    clock.advance(11)
    assert await token.renew()
    assert await token.headers() == [("authorization", "Bearer token-3")]


async def test_the_address_says_what_is_asked_and_nothing_secret(giving):
    """The verifier stays here until the code is exchanged."""
    consent = asking(giving)
    address = await consent.address()
    assert address.startswith(f"{giving.url}/authorize?response_type=code&client_id=us&")
    assert "code_challenge_method=S256" in address
    assert consent._verifier not in address


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda query: query.replace("state=", "state=x"), "state"),
        (lambda query: query.partition("&state")[0], "state"),
        (lambda query: query.replace("iss=http", "iss=https"), "iss"),
        (lambda query: query.replace("code=", "error="), "no consent"),
    ],
)
async def test_an_answer_that_is_not_to_our_question_is_refused(giving, change, why):
    """Another's state, another issuer (mix-up), a refusal: no code is sent anywhere."""
    consent = asking(giving)
    query = giving.consent(await consent.address())
    with pytest.raises(Refused, match=why):
        await consent.taken(change(query))
    assert not giving.given
    assert (await consent.taken(query)).token == "token-0"


async def test_a_missing_issuer_is_refused_where_it_is_promised(giving):
    """RFC 9207."""
    giving.says = {"authorization_response_iss_parameter_supported": True}
    consent = asking(giving)
    query = giving.consent(await consent.address())
    with pytest.raises(Refused, match="iss"):
        await consent.taken(query.partition("&iss")[0])


@pytest.mark.parametrize(
    "says",
    [
        {"code_challenge_methods_supported": ["plain"]},
        {"code_challenge_methods_supported": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "https://10.0.0.1/authorize"},
        {"authorization_endpoint": "a:$(cmd.exe /c whoami)"},
    ],
)
async def test_no_address_is_shown_that_should_not_be_opened(giving, says):
    """Without PKCE, into the network, or something that a shell would act on (CVE-2025-6514)."""
    giving.says = says
    with pytest.raises(UpstreamFailed):
        await asking(giving).address()


async def test_what_is_not_kept_or_ended_asks_for_consent_again(giving, tmp_path):
    """No file, one for another address, an end without a refresh token, a refresh token that counts no more."""
    clock, path = StoppedClock(), tmp_path / "token.json"
    token = ConsentToken(path, giving.resource, US, Outside({"127.0.0.1"}), clock)
    with pytest.raises(UpstreamFailed, match="mcp login"):
        await token.headers()
    await kept(giving, path, clock)
    other = ConsentToken(path, "https://other.test/mcp", US, Outside({"127.0.0.1"}), clock)
    with pytest.raises(UpstreamFailed, match="another address"):
        await other.headers()
    clock.advance(600)
    giving.given.append({})  # somebody else has used the refresh token
    with pytest.raises(UpstreamFailed, match="gave no bearer token"):
        await token.headers()
    path.write_text(path.read_text().replace("refresh-0", ""))
    with pytest.raises(UpstreamFailed, match="has ended"):
        await token.headers()

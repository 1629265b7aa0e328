"""The client of the identity provider by itself; the attacks on a sign-in stand in test_single_sign_on.py."""

import asyncio

import pytest
from tests.doubles.identity import CLIENT, SECRET, Identity

from bartizan.core.clock import StoppedClock
from bartizan.core.errors import BadSettings, UpstreamFailed
from bartizan.core.sections.sso import Sso, SsoRole
from bartizan.dashboard.oidc import Provider, challenge, trusted

ROLES = (SsoRole("everybody", "viewer"),)


def test_a_made_up_code_gives_no_claims_and_repeats_nothing_of_the_answer():
    """The provider's words, which may be hostile, are not in the error."""
    with Identity(StoppedClock()).running() as identity:
        provider = Provider(Sso(issuer=identity.issuer, client_id=CLIENT, roles=ROLES), SECRET, StoppedClock())
        with pytest.raises(UpstreamFailed, match="HTTP 400") as error:
            asyncio.run(provider.claims("made-up", "", "nonce", "verifier"))
    assert "script" not in str(error.value)


def test_keys_that_cannot_be_used_are_an_error():
    """A shared secret in a public set is no key."""
    with Identity(StoppedClock()).running() as identity:
        identity.published = [{"kty": "oct", "k": "AAAA", "kid": "one"}]
        provider = Provider(Sso(issuer=identity.issuer, client_id=CLIENT, roles=ROLES), SECRET, StoppedClock())
        with pytest.raises(UpstreamFailed, match="cannot be used"):
            asyncio.run(provider.address("s", "n", "v"))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"client_id": ""}, "client_id"),
        ({"roles": ()}, "sso.roles"),
        ({"scopes": ("profile",)}, "openid"),
        ({"algorithms": ("HS256",)}, "HS256"),
        ({"issuer": "http://id.example"}, "sso.issuer"),
        ({"return_url": "http://dash.example/sso/return"}, "sso.return_url"),
        ({"return_url": "https://dash.example/"}, "/sso/return"),
    ],
)
def test_settings_that_could_not_be_trusted_do_not_start(changed, why):
    """Nobody finds out in production."""
    section = {"issuer": "https://id.example", "client_id": "b", "roles": ROLES} | changed
    with pytest.raises(BadSettings, match=why):
        Provider(Sso(**section), "", StoppedClock())


def test_an_address_is_trusted_only_where_nobody_can_listen():
    """https anywhere, http on this machine only."""
    for good in ("https://id.example", "http://127.0.0.1:9", "http://localhost", "http://[::1]:8"):
        assert trusted(good)
    for bad in ("http://id.example", "ftp://localhost", "https://", "http://127.0.0.1.evil.example", "https://[", ""):
        assert not trusted(bad)


def test_the_challenge_is_that_of_the_standard():
    """RFC 7636, appendix B."""
    assert challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

"""Talks to an identity provider: its metadata, its keys, and the exchange of a code for an ID token (OpenID Connect).

Promises: every address is https, or http on this machine; the metadata must name the very issuer that is configured; an
answer is bounded in size and time, and a redirect is not followed; an ID token is checked as in
`core.signed_tokens`, and its nonce besides. Nothing that the provider said word for word reaches a page or the ledger.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
import jwt

from bartizan.core.clock import Clock
from bartizan.core.errors import BadSettings, Refused, UpstreamFailed
from bartizan.core.sections.sso import Sso
from bartizan.core.signed_tokens import LARGEST_KEY_SET, Expected, KeySet, check, key_set, must_be_known

_PATIENCE_S = 5.0
_FRESH_S = 3600.0
_SOONEST_S = 10.0
"""Keys and metadata are read again after an hour; sooner, but not often, when a token names an unknown key."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the provider publishes about itself."""

    authorize: str
    token: str
    keys: str
    basic: bool
    """Whether the client's secret goes into a header (else into the form)."""
    names_itself: bool
    """Whether it names itself in its answers (RFC 9207)."""


class Provider:
    """The configured provider. Reads its metadata and keys when they are first needed."""

    def __init__(self, section: Sso, secret: str, clock: Clock) -> None:
        """Use the provider that `section` names, as its client. Raises BadSettings when it could not be trusted."""
        if not section.client_id:
            raise BadSettings("sso.client_id is empty: expected the id that the provider gave this dashboard")
        if "openid" not in section.scopes:
            raise BadSettings("sso.scopes: expected `openid` among them")
        if not section.roles:
            raise BadSettings("sso.roles: expected at least one role of the provider that may come in")
        must_be_known(section.algorithms, "sso.algorithms")
        for name, url in (("issuer", section.issuer), ("return_url", section.return_url)):
            if not trusted(url):
                raise BadSettings(f"sso.{name} = {url}: expected https, or http on this machine")
        if urlsplit(section.return_url).path != "/sso/return":
            raise BadSettings(f"sso.return_url = {section.return_url}: expected an address that ends in /sso/return")
        self._section, self._secret, self._clock = section, secret, clock
        self._metadata: Metadata | None = None
        self._keys: KeySet = {}
        self._read_ns: int | None = None

    @property
    def section(self) -> Sso:
        """Return what was configured."""
        return self._section

    async def address(self, state: str, nonce: str, verifier: str) -> str:
        """Return where the browser is sent to sign in. Raises UpstreamFailed when the provider cannot be read."""
        metadata = await self._known()
        asked = {
            "response_type": "code",
            "client_id": self._section.client_id,
            "redirect_uri": self._section.return_url,
            "scope": " ".join(self._section.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        return f"{metadata.authorize}{'&' if urlsplit(metadata.authorize).query else '?'}{urlencode(asked)}"

    async def claims(self, code: str, issuer: str, nonce: str, verifier: str) -> Mapping[str, Any]:
        """Return what the provider says about who signed in. Raises Refused, or UpstreamFailed when it does not answer.

        `issuer` is who the answer says it comes from, or nothing.
        """
        metadata = await self._known()
        # (1) The answer comes from the provider that was asked: RFC 9207, section 2.4 (mix-up).
        if (issuer or metadata.names_itself) and issuer != self._section.issuer:
            raise Refused("this answer does not come from the identity provider that was asked")
        # (2) The code is exchanged with the secret of this very sign-in: RFC 7636, section 4.5.
        token = await self._exchange(metadata, code, verifier)
        # (3) Signature, issuer, audience, times: OpenID Connect Core 1.0, section 3.1.3.7.
        claims = await self._checked(token)
        # (4) Several audiences: the token must have been issued to us.
        audience = claims["aud"]
        several = isinstance(audience, list) and len(audience) > 1
        if claims.get("azp", None if several else self._section.client_id) != self._section.client_id:
            raise Refused("this sign-in does not hold: the token was issued to somebody else")
        # (5) The token answers this sign-in and no earlier one.
        said = claims.get("nonce")
        if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
            raise Refused("this sign-in does not hold: the token belongs to another sign-in (nonce)")
        return claims

    async def _exchange(self, metadata: Metadata, code: str, verifier: str) -> str:
        section = self._section
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": section.return_url,
            "client_id": section.client_id,
            "code_verifier": verifier,
        }
        headers = {"accept": "application/json"}
        if self._secret and metadata.basic:
            # RFC 6749, section 2.3.1: both are form-encoded before they are put together.
            pair = f"{quote(section.client_id, safe='')}:{quote(self._secret, safe='')}"
            headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        elif self._secret:
            form["client_secret"] = self._secret
        token = (await _asked("POST", metadata.token, "the token endpoint", form, headers)).get("id_token")
        if not isinstance(token, str):
            raise UpstreamFailed("the identity provider's token endpoint gave no ID token")
        return token

    async def _checked(self, token: str) -> Mapping[str, Any]:
        section = self._section
        expected = Expected(section.issuer, section.client_id, section.algorithms, section.leeway_s)
        try:
            named = str(jwt.get_unverified_header(token).get("kid", ""))
        except jwt.PyJWTError:
            raise Refused("this token does not hold: it is malformed") from None
        if named not in self._keys and self._older_than(_SOONEST_S):
            await self._read()
        return check(token, self._key, expected, self._clock.wall_ns() / 1e9)

    def _key(self, named: str) -> jwt.PyJWK:
        if named not in self._keys:
            raise Refused("this token does not hold: the identity provider has no such key")
        return self._keys[named]

    async def _known(self) -> Metadata:
        if self._metadata is None or self._older_than(_FRESH_S):
            return await self._read()
        return self._metadata

    async def _read(self) -> Metadata:
        issuer = self._section.issuer
        said = await _asked("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration", "the metadata")
        # OpenID Connect Discovery 1.0, section 4.3: the very issuer, letter by letter.
        if said.get("issuer") != issuer:
            raise UpstreamFailed(f"the metadata at {issuer} speaks of another issuer")
        found = {}
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            url = said.get(name)
            if not isinstance(url, str) or not trusted(url):
                raise UpstreamFailed(f"the metadata of {issuer}: {name} is no https address")
            found[name] = url
        # OpenID Connect Discovery 1.0, section 3: without the list only client_secret_basic is promised.
        ways = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        metadata = Metadata(
            found["authorization_endpoint"],
            found["token_endpoint"],
            found["jwks_uri"],
            basic="client_secret_basic" in ways or "client_secret_post" not in ways,
            names_itself=said.get("authorization_response_iss_parameter_supported") is True,
        )
        keys = await _asked("GET", metadata.keys, "the keys")
        try:
            self._keys = key_set(json.dumps(keys).encode())
        except BadSettings as error:
            raise UpstreamFailed(f"the keys of {issuer} cannot be used: {error}") from error
        self._metadata, self._read_ns = metadata, self._clock.monotonic_ns()
        return metadata

    def _older_than(self, seconds: float) -> bool:
        return self._read_ns is None or self._clock.monotonic_ns() - self._read_ns > seconds * 1e9


def challenge(verifier: str) -> str:
    """Return the code challenge of a verifier (RFC 7636, S256)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def trusted(url: str) -> bool:
    """Whether nobody on the way can read or change what goes to `url`: https, or http on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in _HERE))


_HERE = ("127.0.0.1", "localhost", "::1")


async def _asked(
    method: str,
    url: str,
    what: str,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Mapping[str, Any]:
    """Return the JSON object at `url`. Raises UpstreamFailed, which says `what` failed and never what was answered."""
    body = b""
    try:
        async with (
            httpx.AsyncClient(timeout=_PATIENCE_S, trust_env=False) as client,
            client.stream(method, url, data=form, headers=headers) as answer,
        ):
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > LARGEST_KEY_SET:
                    raise UpstreamFailed(f"{what} of the identity provider: more than {LARGEST_KEY_SET} bytes")
        if answer.status_code != 200:
            raise UpstreamFailed(f"{what} of the identity provider: HTTP {answer.status_code}")
        said = json.loads(body)
    except (httpx.HTTPError, ValueError, RecursionError) as error:
        raise UpstreamFailed(
            f"{what} of the identity provider cannot be read: {type(error).__name__}",
            hint="Try again, or sign in with a password.",
        ) from error
    if not isinstance(said, dict):
        raise UpstreamFailed(f"{what} of the identity provider: expected a JSON object")
    return said

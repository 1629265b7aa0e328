"""Bearer tokens of an identity provider (OIDC): JSON Web Tokens, checked against the provider's published keys.

Promises (RFC 8725): the signature is checked by one of the algorithms the operator listed, never one the token chose
alone; a symmetric algorithm is never taken; issuer, audience and expiry are required; keys come from the operator's
URL or file, never from an address in the token. Keys are fetched in the background: a request never waits for the
provider. A token is never repeated in an error, a record or a log.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import httpx
import jwt

from bartizan.core.clock import Clock
from bartizan.core.errors import BadSettings, Refused
from bartizan.core.sections.tokens import Tokens
from bartizan.gateway.auth import Authenticator, Caller, Headers, presented_key
from bartizan.gateway.grants import Grant

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
_LARGEST_TOKEN = 8192
_LARGEST_KEY_SET = 262144
_MOST_KEYS = 64
_FETCH_S = 5.0
_SOONEST_S = 10.0
_log = logging.getLogger("bartizan.gateway")


class KeySource(Protocol):
    """Where the provider's keys are."""

    async def fetch(self) -> bytes:
        """Return a JSON Web Key Set (RFC 7517). Raises OSError or httpx.HTTPError."""
        ...


class KeysAt:
    """A key set at a URL. Redirects are not followed."""

    def __init__(self, url: str) -> None:
        """Read from `url`."""
        self._url = url

    async def fetch(self) -> bytes:
        """Return the key set. Raises httpx.HTTPError, or OSError when it is too large."""
        body = b""
        async with (
            httpx.AsyncClient(timeout=_FETCH_S, trust_env=False) as client,
            client.stream("GET", self._url) as answer,
        ):
            answer.raise_for_status()
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > _LARGEST_KEY_SET:
                    raise OSError(f"more than {_LARGEST_KEY_SET} bytes")
        return body


class KeysIn:
    """A key set in a file."""

    def __init__(self, path: Path) -> None:
        """Read from `path`."""
        self._path = path

    async def fetch(self) -> bytes:
        """Return the file's bytes. Raises OSError."""
        return self._path.read_bytes()


class TokenKeys:
    """Knows callers by their token; whoever presents none is asked for a key by `otherwise`."""

    def __init__(self, settings: Tokens, source: KeySource, clock: Clock, otherwise: Authenticator | None) -> None:
        """Check tokens as `settings` say. No key is known before `refresh`."""
        self._settings = settings
        self._source = source
        self._clock = clock
        self._otherwise = otherwise
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_ns: int | None = None
        self._unknown = asyncio.Event()

    def identify(self, headers: Headers) -> Caller:
        """Return the holder of the presented token. Raises Refused when it cannot be trusted."""
        presented = presented_key(headers)
        if presented.count(b".") != 2 or not presented.startswith(b"ey"):
            if self._otherwise is None:
                raise Refused("this gateway takes bearer tokens of its identity provider only")
            return self._otherwise.identify(headers)
        if len(presented) > _LARGEST_TOKEN:
            raise Refused(f"this token is longer than {_LARGEST_TOKEN} bytes")
        claims = self._claims(presented.decode("latin-1"))
        return self._caller(claims)

    async def refresh(self) -> None:
        """Fetch the keys. What was known stays when that fails, until it is older than `stale_s`."""
        try:
            keys = key_set(await self._source.fetch())
        except (OSError, httpx.HTTPError, BadSettings) as error:
            _log.error("the identity provider's keys cannot be read: %s: %s", type(error).__name__, error)
            return
        self._keys, self._fetched_ns = keys, self._clock.monotonic_ns()

    @contextlib.asynccontextmanager
    async def refreshing(self) -> AsyncIterator[None]:
        """Keep the keys fresh while the block runs; fetch sooner, but not often, when a token names an unknown one."""
        await self.refresh()
        task = asyncio.ensure_future(self._keep_fresh())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait((task,))

    async def _keep_fresh(self) -> None:
        while True:
            await asyncio.sleep(min(_SOONEST_S, self._settings.refresh_s))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._unknown.wait(), max(0.0, self._settings.refresh_s - _SOONEST_S))
            self._unknown.clear()
            await self.refresh()

    def _claims(self, token: str) -> Mapping[str, Any]:
        settings = self._settings
        try:
            header = jwt.get_unverified_header(token)
            key = self._key(header)
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[name for name in settings.algorithms if name in ALGORITHMS],
                audience=settings.audience,
                issuer=settings.issuer,
                leeway=settings.leeway_s,
                options={"require": ["exp", "iss", "aud", "sub"], "verify_exp": False, "verify_nbf": False},
            )
        except jwt.PyJWTError as error:
            raise Refused(f"this token does not hold: {_reason(error)}") from None
        now = self._clock.wall_ns() / 1e9
        for name, ends in (("exp", True), ("nbf", False)):
            moment = claims.get(name, now)
            if isinstance(moment, bool) or not isinstance(moment, int | float):
                raise Refused(f"this token does not hold: its {name} is no time")
            if ends and now >= moment + settings.leeway_s:
                raise Refused("this token does not hold: it has expired")
            if not ends and now < moment - settings.leeway_s:
                raise Refused("this token does not hold: it is not valid yet")
        return claims

    def _key(self, header: Mapping[str, Any]) -> jwt.PyJWK:
        if self._fetched_ns is None:
            raise Refused("tokens cannot be checked at the moment: the identity provider's keys were never read")
        if self._clock.monotonic_ns() - self._fetched_ns > self._settings.stale_s * 1e9:
            raise Refused("tokens cannot be checked at the moment: the identity provider's keys are too old")
        key = self._keys.get(str(header.get("kid", "")))
        if key is None:
            self._unknown.set()
            raise Refused("this token does not hold: the identity provider has no such key")
        if key.algorithm_name != header.get("alg"):
            raise Refused("this token does not hold: its algorithm is not its key's")
        return key

    def _caller(self, claims: Mapping[str, Any]) -> Caller:
        settings = self._settings
        held = _words(claims.get(settings.role_claim))
        for role in settings.roles:
            if role.name in held:
                grant = Grant(routes=role.routes, models=role.models, tools=role.tools, roles=role.messages)
                who = str(claims["sub"])[:120]
                return Caller(f"{role.name}:{who}", grant, role.admin, role.admin, scopes=(f"user:{who}",))
        raise Refused(f"this token carries none of the roles that may use this gateway (claim {settings.role_claim!r})")


def key_set(raw: bytes) -> dict[str, jwt.PyJWK]:
    """Return the asymmetric signing keys of a JSON Web Key Set by key id. Raises BadSettings when there is none."""
    try:
        entries = json.loads(raw)["keys"]
        entries = [entry for entry in entries if isinstance(entry, dict)][:_MOST_KEYS]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadSettings(f"not a JSON Web Key Set: {type(error).__name__}") from error
    keys = {}
    for entry in entries:
        if entry.get("use", "sig") != "sig" or entry.get("kty") not in ("RSA", "EC", "OKP"):
            continue
        with contextlib.suppress(jwt.PyJWTError, ValueError, TypeError, KeyError):
            keys[str(entry.get("kid", ""))] = jwt.PyJWK(entry)
    if not keys:
        raise BadSettings("a JSON Web Key Set without a public signing key that can be used")
    return keys


def _words(claim: object) -> tuple[str, ...]:
    """Return the roles in a claim: a list, or words between spaces as in `scope` (RFC 8693)."""
    if isinstance(claim, str):
        return tuple(claim.split())
    return tuple(item for item in claim if isinstance(item, str)) if isinstance(claim, list) else ()


def _reason(error: jwt.PyJWTError) -> str:
    """Return why, in words of ours: the library's may repeat what stands in the token."""
    for kind, why in (
        (jwt.InvalidSignatureError, "its signature is wrong"),
        (jwt.InvalidAudienceError, "it is meant for somebody else"),
        (jwt.InvalidIssuerError, "somebody else issued it"),
        (jwt.MissingRequiredClaimError, "a claim that it must have is missing"),
        (jwt.InvalidAlgorithmError, "its algorithm is not allowed here"),
    ):
        if isinstance(error, kind):
            return why
    return "it is malformed"

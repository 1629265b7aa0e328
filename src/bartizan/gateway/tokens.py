"""Bearer tokens of an identity provider (OIDC): JSON Web Tokens, checked against the provider's published keys.

Promises: a token is checked as in `core.signed_tokens`; keys come from the operator's URL or file, never from an
address in the token. Keys are fetched in the background: a request never waits for the provider. A token is never
repeated in an error, a record or a log.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import httpx
import jwt

from bartizan.core.clock import Clock
from bartizan.core.errors import BadSettings, Refused
from bartizan.core.sections.tokens import Tokens
from bartizan.core.signed_tokens import LARGEST_KEY_SET, Expected, check, key_set, words
from bartizan.gateway.auth import Authenticator, Caller, Headers, presented_key
from bartizan.gateway.grants import Grant

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
                if len(body) > LARGEST_KEY_SET:
                    raise OSError(f"more than {LARGEST_KEY_SET} bytes")
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
        return self.identify_at("", headers)

    def identify_at(self, place: str, headers: Headers) -> Caller:
        """Do the same where tokens made for the URL `place` count too (RFC 8707), if it is one."""
        presented = presented_key(headers)
        if presented.count(b".") != 2 or not presented.startswith(b"ey"):
            if self._otherwise is None:
                raise Refused("this gateway takes bearer tokens of its identity provider only")
            return self._otherwise.identify(headers)
        audience = (self._settings.audience, place) if place else self._settings.audience
        expected = Expected(self._settings.issuer, audience, self._settings.algorithms, self._settings.leeway_s)
        return self._caller(check(presented.decode("latin-1"), self._key, expected, self._clock.wall_ns() / 1e9))

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

    def _key(self, named: str) -> jwt.PyJWK:
        if self._fetched_ns is None:
            raise Refused("tokens cannot be checked at the moment: the identity provider's keys were never read")
        if self._clock.monotonic_ns() - self._fetched_ns > self._settings.stale_s * 1e9:
            raise Refused("tokens cannot be checked at the moment: the identity provider's keys are too old")
        key = self._keys.get(named)
        if key is None:
            self._unknown.set()
            raise Refused("this token does not hold: the identity provider has no such key")
        return key

    def _caller(self, claims: Mapping[str, Any]) -> Caller:
        settings = self._settings
        held = words(claims.get(settings.role_claim))
        for role in settings.roles:
            if role.name in held:
                grant = Grant(routes=role.routes, models=role.models, tools=role.tools, roles=role.messages)
                who = str(claims["sub"])[:120]
                return Caller(f"{role.name}:{who}", grant, role.admin, role.admin, scopes=(f"user:{who}",))
        raise Refused(f"this token carries none of the roles that may use this gateway (claim {settings.role_claim!r})")


class TokensAt:
    """Knows callers at one place by tokens that were made for it; a token for another place is none."""

    def __init__(self, keys: TokenKeys, place: str) -> None:
        """Check by `keys`."""
        self._keys = keys
        self._place = place

    def identify(self, headers: Headers) -> Caller:
        """Return the holder of the presented token. Raises Refused when it cannot be trusted."""
        return self._keys.identify_at(self._place, headers)

"""A token for a server whose owner wants OAuth: our own, for that server alone (client credentials, RFC 6749 4.4).

The server says who gives tokens for it (RFC 9728), that place says where (RFC 8414). Whatever they say is an address
that somebody else chose: each must be https and outside this machine's network, lie at the issuer that names it, and
is only fetched, never opened or handed to a program (CVE-2025-6514). A token is asked for with `resource` (RFC 8707),
so that it is good for no other server, and never repeated in an error, a record or a log.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from bartizan.core.clock import Clock
from bartizan.core.display import visible
from bartizan.core.errors import UpstreamFailed
from bartizan.mcp.http.outside import Outside, Place, fetched, place

_EARLY_S = 30.0
_SHORTEST_S = 60.0
_LONGEST_S = 86400.0
_AGAIN_S = 10.0
_LARGEST_TOKEN = 16384


@dataclass(frozen=True, slots=True)
class Us:
    """Who we are at the authorization server. `issuer`, where it is not empty, is the only one that is trusted."""

    id: str
    secret: str
    scope: str = ""
    issuer: str = ""


class ClientToken:
    """Gets a token, keeps it while it holds, gets another when it was refused."""

    def __init__(self, resource: str, us: Us, outside: Outside, clock: Clock) -> None:
        """Ask for tokens that are good for `resource`, the server's URL."""
        self._resource = resource
        self._us = us
        self._outside = outside
        self._clock = clock
        self._token = ""
        self._until_ns = 0
        self._asked_ns: int | None = None

    async def headers(self) -> list[tuple[str, str]]:
        """Return the token, a new one when the last is about to end. Raises UpstreamFailed when there is none."""
        if not self._token or self._clock.monotonic_ns() >= self._until_ns:
            await self._get()
        return [("authorization", f"Bearer {self._token}")]

    async def renew(self) -> bool:
        """Forget a refused token; return whether it is time to ask for another."""
        now = self._clock.monotonic_ns()
        if self._asked_ns is not None and now - self._asked_ns < _AGAIN_S * 1e9:
            return False  # a server that refuses fresh tokens must not make us fetch one for each request
        self._token = ""
        return True

    async def _get(self) -> None:
        self._asked_ns = self._clock.monotonic_ns()
        issuer = await self._issuer()
        where = place(_text(await self._described(issuer), "token_endpoint"))
        if why := self._outside.refuses(where):
            raise UpstreamFailed(f"token_endpoint: {why}")
        form = {"grant_type": "client_credentials", "resource": self._resource}
        if self._us.scope:
            form["scope"] = self._us.scope
        pair = f"{quote(self._us.id, safe='')}:{quote(self._us.secret, safe='')}"
        headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("accept", "application/json"),
            ("authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"),
        ]
        status, body = await fetched(self._outside, "POST", where, headers=headers, body=urlencode(form).encode())
        answer = _object(body) if status == 200 else {}
        token, kind = answer.get("access_token"), answer.get("token_type")
        usable = isinstance(token, str) and 0 < len(token) <= _LARGEST_TOKEN and token.isascii() and token.isprintable()
        if not isinstance(token, str) or not usable or str(kind).lower() != "bearer":
            raise UpstreamFailed(f"{where.origin} gave no bearer token (HTTP {status})")
        lasts = answer.get("expires_in")
        lasts_s = float(lasts) if isinstance(lasts, int | float) and not isinstance(lasts, bool) else 300.0
        self._token = token
        self._until_ns = self._asked_ns + int((min(max(lasts_s, _SHORTEST_S), _LONGEST_S) - _EARLY_S) * 1e9)

    async def _issuer(self) -> Place:
        """Return who gives tokens for the resource: the operator's choice, else what the resource says (RFC 9728)."""
        if self._us.issuer:
            return place(self._us.issuer)
        about = await self._first(_well_known(place(self._resource), "oauth-protected-resource"))
        if about.get("resource") not in (self._resource, self._resource.rstrip("/")):
            raise UpstreamFailed(f"{self._resource} describes itself as {visible(str(about.get('resource')))[:80]!r}")
        servers = about.get("authorization_servers")
        if not isinstance(servers, list) or not servers or not isinstance(servers[0], str):
            raise UpstreamFailed(f"{self._resource} names no authorization server")
        return place(servers[0])

    async def _described(self, issuer: Place) -> Mapping[str, Any]:
        """Return what an authorization server says of itself (RFC 8414); it must say that it is that issuer."""
        url = f"{issuer.origin}{issuer.target.rstrip('/')}"
        kinds = ("oauth-authorization-server", "openid-configuration")
        tries = [one for kind in kinds for one in _well_known(issuer, kind)[:1]]
        about = await self._first([*tries, f"{url}/.well-known/openid-configuration"])
        if str(about.get("issuer")).rstrip("/") != url:
            raise UpstreamFailed(f"{url} describes itself as {visible(str(about.get('issuer')))[:80]!r}")
        return about

    async def _first(self, urls: list[str]) -> Mapping[str, Any]:
        """Return the first of the documents that is there. Raises UpstreamFailed when none is, or one is no place."""
        for url in urls:
            where = place(url)
            if why := self._outside.refuses(where):
                raise UpstreamFailed(why)
            status, body = await fetched(self._outside, "GET", where, headers=[("accept", "application/json")])
            if status == 200:
                return _object(body)
        raise UpstreamFailed(f"{urls[0]}: not there")


def _well_known(where: Place, kind: str) -> list[str]:
    """Return where a document of this kind lies: between host and path, and at the host."""
    path = where.target.partition("?")[0].rstrip("/")
    at_host = f"{where.origin}/.well-known/{kind}"
    return [f"{at_host}{path}", at_host] if path else [at_host]


def _object(body: bytes) -> dict[str, Any]:
    try:
        tree = json.loads(body)
    except (ValueError, RecursionError):
        tree = None
    if not isinstance(tree, dict):
        raise UpstreamFailed("a document of an authorization server is no JSON object")
    return tree


def _text(about: Mapping[str, Any], key: str) -> str:
    value = about.get(key)
    if not isinstance(value, str):
        raise UpstreamFailed(f"{key}: expected a URL")
    return value

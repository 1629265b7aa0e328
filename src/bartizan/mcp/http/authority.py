"""Who gives tokens for a server, and where: what the server and its authorization server say of themselves, checked.

The server says who gives tokens for it (RFC 9728), that place says where (RFC 8414). Whatever they say is an address
that somebody else chose: each must be https and outside this machine's network, lie at the issuer that names it, and
is only fetched, never opened or handed to a program (CVE-2025-6514).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from bartizan.core.display import visible
from bartizan.core.errors import UpstreamFailed
from bartizan.mcp.http.outside import Outside, Place, fetched, place

_SHORTEST_S = 60.0
_LONGEST_S = 86400.0
_LARGEST_TOKEN = 16384


@dataclass(frozen=True, slots=True)
class Given:
    """A token, how long it holds, and what gets the next one (empty: nothing does)."""

    token: str
    lasts_s: float
    refresh: str = ""


class Authority:
    """What gives tokens for one resource. `trusted`, where it is not empty, is the only issuer that is believed."""

    def __init__(self, resource: str, trusted: str, outside: Outside) -> None:
        """Look for who gives tokens for `resource`, the server's URL."""
        self.resource = resource
        self._trusted = trusted
        self._outside = outside

    async def described(self) -> Mapping[str, Any]:
        """Return what the authorization server says of itself (RFC 8414): it is that issuer. Raises UpstreamFailed."""
        issuer = await self._issuer()
        url = f"{issuer.origin}{issuer.target.rstrip('/')}"
        kinds = ("oauth-authorization-server", "openid-configuration")
        tries = [one for kind in kinds for one in _well_known(issuer, kind)[:1]]
        about = await self._first([*tries, f"{url}/.well-known/openid-configuration"])
        if str(about.get("issuer")).rstrip("/") != url:
            raise UpstreamFailed(f"{url} describes itself as {visible(str(about.get('issuer')))[:80]!r}")
        return about

    def endpoint(self, about: Mapping[str, Any], key: str) -> Place:
        """Return a place that an authorization server names. Raises UpstreamFailed for one that we may not go to."""
        value = about.get(key)
        if not isinstance(value, str):
            raise UpstreamFailed(f"{key}: expected a URL")
        where = place(value)
        if why := self._outside.refuses(where):
            raise UpstreamFailed(f"{key}: {why}")
        return where

    async def asked(self, where: Place, form: Mapping[str, str], headers: Sequence[tuple[str, str]] = ()) -> Given:
        """Ask for a token that is good for the resource alone (RFC 8707). Raises UpstreamFailed."""
        body = urlencode({**form, "resource": self.resource}).encode()
        status, raw = await self.posted(where, body, "application/x-www-form-urlencoded", headers)
        answer = object_in(raw) if status == 200 else {}
        token, kind = answer.get("access_token"), answer.get("token_type")
        if not is_plain(token) or str(kind).lower() != "bearer":
            raise UpstreamFailed(f"{where.origin} gave no bearer token (HTTP {status})")
        lasts, refresh = answer.get("expires_in"), answer.get("refresh_token")
        lasts_s = float(lasts) if isinstance(lasts, int | float) and not isinstance(lasts, bool) else 300.0
        return Given(str(token), min(max(lasts_s, _SHORTEST_S), _LONGEST_S), str(refresh) if is_plain(refresh) else "")

    async def posted(
        self, where: Place, body: bytes, kind: str, headers: Sequence[tuple[str, str]] = ()
    ) -> tuple[int, bytes]:
        """Return status and body of the answer to a body of the media type `kind`. Raises UpstreamFailed."""
        every = [("content-type", kind), ("accept", "application/json"), *headers]
        return await fetched(self._outside, "POST", where, headers=every, body=body)

    async def _issuer(self) -> Place:
        """Return who gives tokens for the resource: the operator's choice, else what the resource says (RFC 9728)."""
        if self._trusted:
            return place(self._trusted)
        about = await self._first(_well_known(place(self.resource), "oauth-protected-resource"))
        if about.get("resource") not in (self.resource, self.resource.rstrip("/")):
            raise UpstreamFailed(f"{self.resource} describes itself as {visible(str(about.get('resource')))[:80]!r}")
        servers = about.get("authorization_servers")
        if not isinstance(servers, list) or not servers or not isinstance(servers[0], str):
            raise UpstreamFailed(f"{self.resource} names no authorization server")
        return place(servers[0])

    async def _first(self, urls: list[str]) -> Mapping[str, Any]:
        """Return the first of the documents that is there. Raises UpstreamFailed when none is, or one is no place."""
        for url in urls:
            where = place(url)
            if why := self._outside.refuses(where):
                raise UpstreamFailed(why)
            status, body = await fetched(self._outside, "GET", where, headers=[("accept", "application/json")])
            if status == 200:
                return object_in(body)
        raise UpstreamFailed(f"{urls[0]}: not there")


def _well_known(where: Place, kind: str) -> list[str]:
    """Return where a document of this kind lies: between host and path, and at the host."""
    path = where.target.partition("?")[0].rstrip("/")
    at_host = f"{where.origin}/.well-known/{kind}"
    return [f"{at_host}{path}", at_host] if path else [at_host]


def object_in(body: bytes) -> dict[str, Any]:
    """Return the JSON object in an answer. Raises UpstreamFailed when there is none."""
    try:
        tree = json.loads(body)
    except (ValueError, RecursionError):
        tree = None
    if not isinstance(tree, dict):
        raise UpstreamFailed("a document of an authorization server is no JSON object")
    return tree


def is_plain(value: object, longest: int = _LARGEST_TOKEN) -> bool:
    """Return whether a value is a string that may stand in a header."""
    return isinstance(value, str) and 0 < len(value) <= longest and value.isascii() and value.isprintable()

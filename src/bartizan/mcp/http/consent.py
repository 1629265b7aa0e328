"""Tokens for a server that a person consented to: the authorization code with PKCE (RFC 6749 4.1, 7636), renewed here.

`Consent` asks: it makes the address that the person opens, and takes what the browser brings back. What it got is kept
in a file that only its owner can read; `ConsentToken` shows it to the server and renews it there (the refresh token may
change each time). Nothing is opened by us, and a code counts only with our `state`, our verifier and, where it is said,
the issuer that we asked (RFC 9207, mix-up).
"""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

from bartizan.core.clock import Clock
from bartizan.core.errors import Refused, UpstreamFailed
from bartizan.core.files import held, write_private
from bartizan.mcp.http.authority import Authority, Given
from bartizan.mcp.http.oauth import EARLY_S, Patience, Us
from bartizan.mcp.http.outside import Outside
from bartizan.mcp.http.registration import registered

_LONGEST = 4096


class Consent:
    """One person's consent, asked for once."""

    def __init__(self, authority: Authority, us: Us, redirect: str) -> None:
        """Ask in our name, under one that we register where `us` has no id; the browser comes back to `redirect`."""
        self._authority = authority
        self.us = us
        self.registered = False
        self._redirect = redirect
        self._state = secrets.token_urlsafe(32)
        self._verifier = secrets.token_urlsafe(64)
        self._about: Mapping[str, Any] = {}

    async def address(self) -> str:
        """Return the address that the person opens. Raises UpstreamFailed when there is none that we would show."""
        self._about = await self._authority.described()
        if "S256" not in (self._about.get("code_challenge_methods_supported") or ()):
            raise UpstreamFailed("the authorization server does not say that it takes PKCE with S256: refused")
        where = self._authority.endpoint(self._about, "authorization_endpoint")
        if not self.us.id:
            self.us = await registered(self._authority, self._about, self.us, self._redirect)
            self.registered = True
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self._verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self.us.id,
            "redirect_uri": self._redirect,
            "state": self._state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "resource": self._authority.resource,
        }
        asked |= {"scope": self.us.scope} if self.us.scope else {}
        return f"{where.origin}{where.target}{'&' if '?' in where.target else '?'}{urlencode(asked)}"

    async def taken(self, query: str) -> Given:
        """Return the token for what the browser brought back. Raises Refused, UpstreamFailed."""
        brought = {key: values[0] for key, values in parse_qs(query[:_LONGEST]).items()}
        if not hmac.compare_digest(brought.get("state", "").encode(), self._state.encode()):
            raise Refused("this answer is not to what we asked (state)")
        says_issuer = self._about.get("authorization_response_iss_parameter_supported") is True
        if (says_issuer or "iss" in brought) and brought.get("iss") != self._about.get("issuer"):
            raise Refused("this answer is not from whom we asked (iss)")
        if "code" not in brought:
            raise Refused(f"no consent was given: {brought.get('error', 'no code')[:80]!r}")
        form = {
            "grant_type": "authorization_code",
            "code": brought["code"],
            "redirect_uri": self._redirect,
            "code_verifier": self._verifier,
            "client_id": self.us.id,
        }
        where = self._authority.endpoint(self._about, "token_endpoint")
        return await self._authority.asked(where, form, self.us.headers())


def keep(path: Path, resource: str, given: Given, now_ns: int, client: Us | None = None) -> None:
    """Keep a token for a resource in a file, with the `client` that we registered to get it. Raises OSError."""
    about: dict[str, Any] = {
        "resource": resource,
        "access_token": given.token,
        "refresh_token": given.refresh,
        "until_ns": now_ns + int(given.lasts_s * 1e9),
    }
    about |= {"client": {"id": client.id, "secret": client.secret, "issuer": client.issuer}} if client else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(path, json.dumps(about).encode())


class ConsentToken:
    """Shows a kept token, and renews it when it ends or was refused."""

    def __init__(self, path: Path, resource: str, us: Us, outside: Outside, clock: Clock) -> None:
        """Show what is kept in `path`, to `resource` alone; as the client kept there where `us` has no id."""
        self._path = path
        self._resource = resource
        self._us = us
        self._outside = outside
        self._clock = clock
        self._patience = Patience(clock)
        self._refused = ""

    async def headers(self) -> list[tuple[str, str]]:
        """Return the token, a new one when it is about to end. Raises UpstreamFailed when a person must consent."""
        kept = self._kept()
        soon = self._clock.wall_ns() + int(EARLY_S * 1e9) >= int(kept["until_ns"])
        if soon or kept["access_token"] == self._refused:
            with contextlib.ExitStack() as stack:  # of several processes one renews: a refresh token may count once
                await asyncio.to_thread(stack.enter_context, held(self._path))
                if self._kept() == kept:
                    await self._renewed(kept)
        return [("authorization", f"Bearer {self._kept()['access_token']}")]

    async def renew(self) -> bool:
        """Take note that the token was refused; return whether it is time to ask for another."""
        if not self._patience.over:
            return False
        self._refused = str(self._kept()["access_token"])
        return True

    async def _renewed(self, kept: Mapping[str, Any]) -> None:
        if not kept["refresh_token"]:
            raise UpstreamFailed(self._again("the token has ended"))
        self._patience.asks()
        client = None if self._us.id else self._client(kept)
        us = client or self._us
        authority = Authority(self._resource, us.issuer, self._outside)
        form = {"grant_type": "refresh_token", "refresh_token": str(kept["refresh_token"]), "client_id": us.id}
        form |= {"scope": us.scope} if us.scope else {}
        where = authority.endpoint(await authority.described(), "token_endpoint")
        given = await authority.asked(where, form, us.headers())
        fresh = Given(given.token, given.lasts_s, given.refresh or str(kept["refresh_token"]))
        keep(self._path, self._resource, fresh, self._clock.wall_ns(), client)

    def _client(self, kept: Mapping[str, Any]) -> Us:
        """Return the client that we registered: its issuer alone is asked."""
        try:
            client = kept["client"]
            return replace(self._us, id=client["id"], secret=client["secret"], issuer=client["issuer"])
        except (KeyError, TypeError):
            raise UpstreamFailed(self._again("the token was not got by a client that we registered")) from None

    def _kept(self) -> dict[str, Any]:
        try:
            kept = json.loads(self._path.read_bytes())
            found = {key: kept[key] for key in ("resource", "access_token", "refresh_token", "until_ns")}
            found |= {"client": kept["client"]} if "client" in kept else {}
        except (OSError, ValueError, KeyError, TypeError):
            raise UpstreamFailed(self._again("nobody has consented yet")) from None
        if found["resource"] != self._resource:
            raise UpstreamFailed(self._again("the kept token is for another address"))
        return found

    def _again(self, why: str) -> str:
        return f"{self._resource}: {why}: run `bartizan mcp login`"

"""Registers us at an authorization server that knows no client of ours yet (RFC 7591), as most hosted servers want it.

One registration for each consent, for the one address that the browser comes back to. What comes back is a client of
that issuer's alone: it is kept with the token, and shown to nobody else. A server that wants a secret in another form
than HTTP Basic is refused.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bartizan.core.display import visible
from bartizan.core.errors import UpstreamFailed
from bartizan.mcp.http.authority import Authority, is_plain, object_in
from bartizan.mcp.http.oauth import Us

_METHODS = ("none", "client_secret_basic")
_LONGEST_ID = 2048


async def registered(authority: Authority, about: Mapping[str, Any], us: Us, redirect: str) -> Us:
    """Return who we are at the authorization server that says `about` of itself. Raises UpstreamFailed."""
    issuer = str(about.get("issuer"))
    if about.get("registration_endpoint") is None:
        raise UpstreamFailed(f"{issuer} takes no registrations: write the client_id that its owner gives you")
    # RFC 8414: where nothing is said, HTTP Basic is meant
    taken = about.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    method = next((one for one in _METHODS if isinstance(taken, list) and one in taken), None)
    if method is None:
        raise UpstreamFailed(f"{issuer} takes clients by {visible(str(taken))[:80]}: expected one of {_METHODS}")
    asked = {
        "client_name": "Bartizan",
        "redirect_uris": [redirect],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": method,
    }
    asked |= {"scope": us.scope} if us.scope else {}
    where = authority.endpoint(about, "registration_endpoint")
    status, answer = await authority.posted(where, json.dumps(asked).encode(), "application/json")
    if status not in (200, 201):
        raise UpstreamFailed(f"{issuer} did not register us (HTTP {status}): {visible(answer.decode('latin-1'))[:200]}")
    client = object_in(answer)
    id_, secret = client.get("client_id"), client.get("client_secret", "")
    method, redirects = client.get("token_endpoint_auth_method", method), client.get("redirect_uris", [redirect])
    if method not in _METHODS or not isinstance(redirects, list) or redirect not in redirects:
        raise UpstreamFailed(f"{issuer} registered us otherwise than we asked: {visible(str(client))[:200]}")
    if not is_plain(id_, _LONGEST_ID) or (method != "none" and not is_plain(secret, _LONGEST_ID)):
        raise UpstreamFailed(f"{issuer} registered us without a client_id or a secret that can be used")
    return replace(us, id=str(id_), secret="" if method == "none" else str(secret), issuer=issuer)

"""A token for a server whose owner wants OAuth: our own, for that server alone (client credentials, RFC 6749 4.4).

Never repeated in an error, a record or a log. Who gives it is looked for as `authority` says.
"""

import base64
from dataclasses import dataclass
from urllib.parse import quote

from bartizan.core.clock import Clock
from bartizan.mcp.http.authority import Authority
from bartizan.mcp.http.outside import Outside

EARLY_S = 30.0
"""A token is replaced so long before it ends."""
_AGAIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Us:
    """Who we are at the authorization server. `issuer`, where it is not empty, is the only one that is trusted."""

    id: str
    secret: str
    scope: str = ""
    issuer: str = ""

    def headers(self) -> list[tuple[str, str]]:
        """Return what proves it; nothing for a client without a secret."""
        if not self.secret:
            return []
        pair = f"{quote(self.id, safe='')}:{quote(self.secret, safe='')}"
        return [("authorization", f"Basic {base64.b64encode(pair.encode()).decode()}")]


class Patience:
    """A server that refuses fresh tokens must not make us fetch one for each request."""

    def __init__(self, clock: Clock) -> None:
        """Nothing was asked for yet."""
        self._clock = clock
        self._asked_ns: int | None = None

    def asks(self) -> int:
        """Take note that one is asked for; return when."""
        self._asked_ns = self._clock.monotonic_ns()
        return self._asked_ns

    @property
    def over(self) -> bool:
        """Whether it is time to ask for another."""
        return self._asked_ns is None or self._clock.monotonic_ns() - self._asked_ns >= _AGAIN_S * 1e9


class ClientToken:
    """Gets a token, keeps it while it holds, gets another when it was refused."""

    def __init__(self, resource: str, us: Us, outside: Outside, clock: Clock) -> None:
        """Ask for tokens that are good for `resource`, the server's URL."""
        self._authority = Authority(resource, us.issuer, outside)
        self._us = us
        self._clock = clock
        self._patience = Patience(clock)
        self._token = ""
        self._until_ns = 0

    async def headers(self) -> list[tuple[str, str]]:
        """Return the token, a new one when the last is about to end. Raises UpstreamFailed when there is none."""
        if not self._token or self._clock.monotonic_ns() >= self._until_ns:
            await self._get()
        return [("authorization", f"Bearer {self._token}")]

    async def renew(self) -> bool:
        """Forget a refused token; return whether it is time to ask for another."""
        if not self._patience.over:
            return False
        self._token = ""
        return True

    async def _get(self) -> None:
        now = self._patience.asks()
        about = await self._authority.described()
        form = {"grant_type": "client_credentials"} | ({"scope": self._us.scope} if self._us.scope else {})
        where = self._authority.endpoint(about, "token_endpoint")
        given = await self._authority.asked(where, form, self._us.headers())
        self._token, self._until_ns = given.token, now + int((given.lasts_s - EARLY_S) * 1e9)

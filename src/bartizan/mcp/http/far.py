"""A server at an address: its connections, our credential, and the headers that each request carries.

Every header is written here from what was judged; none of the client's goes on. A refused credential is renewed once.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bartizan.gateway.upstream import PooledAnswer
from bartizan.mcp.http.credentials import Credential
from bartizan.mcp.http.outside import Outside, Place
from bartizan.mcp.messages import Message, Notification, Request, written
from bartizan.mcp.methods import STATELESS_VERSIONS, VERSION_KEY
from bartizan.mcp.mirrors import headers_of

_LISTEN_S = 3600.0
Schema = Callable[[str], Mapping[str, Any]]
"""Returns the approved schema of a tool by the server's own name of it."""


class Far:
    """One server, for all conversations with it."""

    def __init__(self, name: str, where: Place, outside: Outside, credential: Credential, *, timeout_s: float) -> None:
        """Reach the server at `where`. Raises UpstreamFailed when it must not be connected to."""
        self.name = name
        self._where = where
        self._credential = credential
        self._asking = outside.connections(where, name, timeout_s)
        self._listening = outside.connections(where, name, _LISTEN_S)

    async def post(self, message: Message, about: Sequence[tuple[str, str]], schema: Schema) -> PooledAnswer:
        """Send one message and return the answer once its head is here. Raises UpstreamFailed."""
        headers = [("content-type", "application/json"), ("accept", "application/json, text/event-stream"), *about]
        if isinstance(message, Request | Notification) and (version := stateless_version(message)):
            tool = str(message.params.get("name", ""))
            called = schema(tool) if isinstance(message, Request) and message.method == "tools/call" else {}
            headers += [("mcp-protocol-version", version), *headers_of(message.method, message.params, called)]
        endless = isinstance(message, Request) and message.method == "subscriptions/listen"
        pool = self._listening if endless else self._asking
        return await self._sent(pool, "POST", headers, written(message))

    async def listen(self, about: Sequence[tuple[str, str]]) -> PooledAnswer:
        """Ask for a stream of what the server says of its own accord, or for the rest of one that broke."""
        return await self._sent(self._listening, "GET", [("accept", "text/event-stream"), *about], b"")

    async def leave(self, about: Sequence[tuple[str, str]]) -> None:
        """Tell the server that a session is over. Raises UpstreamFailed."""
        (await self._sent(self._asking, "DELETE", list(about), b"")).release()

    async def close(self) -> None:
        """Close every connection."""
        await self._asking.close()
        await self._listening.close()

    async def _sent(self, pool: Any, method: str, headers: list[tuple[str, str]], body: bytes) -> PooledAnswer:
        answering = await self._once(pool, method, headers, body)
        if answering.status == 401 and await self._credential.renew():
            answering.release()
            answering = await self._once(pool, method, headers, body)
        return answering

    async def _once(self, pool: Any, method: str, headers: list[tuple[str, str]], body: bytes) -> PooledAnswer:
        every = [*headers, ("user-agent", "bartizan"), *await self._credential.headers()]
        raw = [(name.encode(), value.encode("latin-1")) for name, value in every]
        answering: PooledAnswer = await pool.send(method, self._where.target, raw, body)
        return answering


def stateless_version(message: Request | Notification) -> str:
    """Return the version that a message of 2026-07-28 or later says that it speaks, or nothing."""
    meta = message.params.get("_meta")
    version = meta.get(VERSION_KEY) if isinstance(meta, dict) else None
    return version if isinstance(version, str) and version in STATELESS_VERSIONS else ""

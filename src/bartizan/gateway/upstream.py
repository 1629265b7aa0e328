"""The model servers behind us: a pool of connections to each, its key, its time limits.

A request is sent once. It is sent a second time only when a pooled connection turns out to have been closed by the
other side before a single byte of an answer arrived. Redirects are handed to the client, never followed: an upstream
must not choose where our keys go.
"""

import asyncio
import contextlib
import ssl
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from bartizan.core.errors import BadSettings, UpstreamFailed
from bartizan.gateway.http1 import Connection

Headers = list[tuple[bytes, bytes]]

_NOT_FORWARDED = frozenset(
    b"host connection keep-alive proxy-connection proxy-authenticate proxy-authorization te trailer upgrade expect "
    b"transfer-encoding content-length accept-encoding cookie forwarded x-bartizan-untrusted x-bartizan-session".split()
)
_CONNECT_S = 10.0
_LARGEST_ERROR = 4194304
_KEYS = frozenset((b"authorization", b"x-api-key", b"api-key"))
_NOT_RETURNED = frozenset(
    b"connection keep-alive proxy-connection proxy-authenticate te trailer upgrade transfer-encoding content-length "
    b"date server set-cookie alt-svc strict-transport-security".split()
)


Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Returns the addresses of a host that may be connected to. Raises UpstreamFailed when there is none."""


class NotConnected(UpstreamFailed):
    """No connection was made, so nobody has read the request: it may safely be sent elsewhere."""


class Answering(Protocol):
    """An answer that has begun: its head is known, its body comes."""

    status: int
    headers: Headers
    source: str

    async def read(self) -> bytes:
        """Return the next bytes of the body, nothing at its end. Raises UpstreamFailed when it is cut short."""
        ...

    def release(self) -> None:
        """Give the connection back, or close it when the body was not read to its end."""
        ...


class Upstream(Protocol):
    """A model server."""

    name: str

    async def send(self, method: str, target: str, headers: Headers, body: bytes, model: str = "") -> Answering:
        """Send one request and return its answer once the head is here. Raises UpstreamFailed."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


@dataclass(slots=True)
class PooledAnswer:
    """An answer over a pooled connection."""

    status: int
    headers: Headers
    source: str
    _connection: Connection
    _pool: "HttpUpstream"
    _secret: bytes = b""

    async def read(self) -> bytes:
        """Return the next bytes of the body, nothing at its end. Raises UpstreamFailed when it is cut short."""
        if self.status < 400 or not self._secret:
            return await self._connection.read()
        body = b""
        while piece := await self._connection.read():
            body += piece
            if len(body) > _LARGEST_ERROR:
                raise UpstreamFailed(f"an error of more than {_LARGEST_ERROR} bytes")
        return body.replace(self._secret, b"[key]")  # errors of providers like to repeat the key they did not like

    def release(self) -> None:
        """Give the connection back, or close it when the body was not read to its end."""
        self._pool.give_back(self._connection)


class HttpUpstream:
    """A model server reached over HTTP/1.1, with as many kept connections as were needed at once."""

    def __init__(
        self,
        name: str,
        url: str,
        *,
        key: str = "",
        timeout_s: float = 120.0,
        forward_client_key: bool = False,
        resolve: Resolve | None = None,
    ) -> None:
        """Prepare a pool; nothing is connected before the first request. Raises BadSettings for a bad URL.

        `key` goes to the upstream in place of the client's; `forward_client_key` hands the client's own on instead.
        `resolve` says which addresses may be connected to, where the system's resolver is not to be trusted.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadSettings(f"upstream {name}: url = {url!r}: expected http://host[:port][/path]")
        self.name = name
        self._host = parts.hostname
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._prefix = parts.path.rstrip("/")
        self._host_line = f"host: {parts.netloc.rpartition('@')[2]}\r\n".encode()
        self._key = key.encode()
        self._key_lines = f"authorization: Bearer {key}\r\nx-api-key: {key}\r\n".encode() if key else b""
        self._timeout_s = timeout_s
        self._dropped = _NOT_FORWARDED if forward_client_key and not key else _NOT_FORWARDED | _KEYS
        self._resolve = resolve
        self._idle: deque[Connection] = deque()

    async def send(self, method: str, target: str, headers: Headers, body: bytes, model: str = "") -> PooledAnswer:
        """Send one request and return its answer once the head is here. Raises UpstreamFailed."""
        head = self._head(method, target, headers, body)
        while True:
            connection = self._kept() or await self._connect()
            try:
                await connection.request(head, body)
            except UpstreamFailed as error:
                connection.close()
                if connection.exchanges > 1 and not connection.answered and connection.closed:
                    continue  # a kept connection that the other side had already closed: nobody read this request
                raise UpstreamFailed(f"upstream {self.name}: {error}") from error
            except BaseException:
                connection.close()
                raise
            kept = [pair for pair in connection.headers if pair[0] not in _NOT_RETURNED]
            return PooledAnswer(connection.status, kept, self.name, connection, self, self._key)

    def give_back(self, connection: Connection) -> None:
        """Keep a connection for the next request if it can carry one."""
        if connection.reusable and connection.complete and not connection.closed:
            self._idle.append(connection)
        else:
            connection.close()

    async def close(self) -> None:
        """Close every kept connection."""
        while self._idle:
            self._idle.pop().close()

    def _kept(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable and not connection.closed:
                return connection
            connection.close()
        return None

    async def _connect(self) -> Connection:
        try:
            async with asyncio.timeout(_CONNECT_S):
                if self._resolve is None:
                    return await self._connect_to(self._host)
                addresses = await self._resolve(self._host, self._port)
                for address in addresses[:-1]:
                    with contextlib.suppress(OSError):
                        return await self._connect_to(address)
                return await self._connect_to(addresses[-1])
        except TimeoutError:
            raise NotConnected(f"upstream {self.name}: no connection within {_CONNECT_S:g} s") from None
        except OSError as error:
            raise NotConnected(f"upstream {self.name}: cannot connect: {error}") from error

    async def _connect_to(self, address: str) -> Connection:
        loop = asyncio.get_running_loop()
        connection = Connection(loop, self._timeout_s)
        name = self._host if self._tls else None
        await loop.create_connection(lambda: connection, address, self._port, ssl=self._tls, server_hostname=name)
        return connection

    def _head(self, method: str, target: str, headers: Headers, body: bytes) -> bytes:
        lines = [f"{method} {self._prefix}{target} HTTP/1.1\r\n".encode(), self._host_line, self._key_lines]
        lines += [b"%b: %b\r\n" % pair for pair in headers if pair[0] not in self._dropped]
        if method == "POST":
            lines.append(b"content-length: %d\r\n" % len(body))
        lines.append(b"accept-encoding: identity\r\n\r\n")
        return b"".join(lines)

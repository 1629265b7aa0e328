"""Where we connect to ourselves: only to where the operator said, or to the Internet at large.

A server's address, and the addresses that it names for its authorization, are a way to make us fetch what only we can
reach (SSRF). A host that the operator wrote is as he says. Any other must be reached over https, and what its name
resolves to must be public; the address that was checked is the one that is connected to, so a name that resolves
differently the second time gains nothing. Redirects are not followed.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from bartizan.core.display import visible
from bartizan.core.errors import BadSettings, UpstreamFailed
from bartizan.gateway.upstream import HttpUpstream
from bartizan.mcp.places import inside, public

_URL = re.compile(r"https?://[\x21-\x7e]{1,2000}")
_HOST = re.compile(r"[A-Za-z0-9._:%-]{1,253}")

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""Returns the addresses of a host. Raises OSError."""


@dataclass(frozen=True, slots=True)
class Place:
    """A URL taken apart: what to connect to, and what to ask for there."""

    origin: str
    host: str
    target: str
    secure: bool


def place(url: str) -> Place:
    """Return a URL's parts. Raises UpstreamFailed for one that two readers could read differently.

    Only http and https with letters, digits and plain marks in the host; no user name, no fragment, nothing that a
    shell or a second parser would take for something else (CVE-2025-6514: a URL that was handed to a shell).
    """
    shown = visible(url)[:120]
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise UpstreamFailed(f"{shown}: not a URL") from None
    odd = set(url) & set("\\\"'<>^`{|}$;() ") or parts.fragment or "@" in parts.netloc
    if not _URL.fullmatch(url) or odd or not _HOST.fullmatch(host) or "#" in url:
        raise UpstreamFailed(f"{shown}: expected http(s)://host[:port][/path], and nothing odd in it")
    name = f"[{host}]" if ":" in host else host
    origin = f"{parts.scheme}://{name}{f':{port}' if port else ''}"
    return Place(
        origin, host.lower(), (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), parts.scheme == "https"
    )


async def _looked_up(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[4][0]) for address in found]


class Outside:
    """Makes connections to where they may go."""

    def __init__(self, named: Collection[str] = (), lookup: Lookup = _looked_up) -> None:
        """`named` are hosts that the operator wrote: they may be of this machine or its network, and without TLS."""
        self._named = frozenset(host.lower() for host in named)
        self._lookup = lookup

    def refuses(self, where: Place) -> str:
        """Return why a place must not be connected to, as far as its URL says, or nothing."""
        if where.host in self._named:
            return ""
        if not where.secure:
            return f"{where.origin}: expected https"
        return inside(where.host)

    async def resolve(self, host: str, port: int) -> list[str]:
        """Return the addresses of a host that may be connected to. Raises UpstreamFailed when one of them may not."""
        try:
            addresses = list(await self._lookup(host, port))
        except OSError as error:
            raise UpstreamFailed(f"{host}: cannot be resolved: {error}") from error
        if not addresses:
            raise UpstreamFailed(f"{host}: cannot be resolved")
        if host.lower() not in self._named:
            bad = next((one for one in addresses if not public(one.partition("%")[0])), None)
            if bad is not None:
                raise UpstreamFailed(f"{host} resolves to {bad}, an address of this machine or its network")
        return addresses

    def connections(self, where: Place, name: str, timeout_s: float) -> HttpUpstream:
        """Return connections to a place. Raises UpstreamFailed when it must not be connected to."""
        if why := self.refuses(where):
            raise UpstreamFailed(f"{name}: {why}")
        try:
            return HttpUpstream(name, where.origin, timeout_s=timeout_s, forward_client_key=True, resolve=self.resolve)
        except BadSettings as error:
            raise UpstreamFailed(str(error)) from error


async def fetched(
    outside: Outside,
    method: str,
    where: Place,
    *,
    headers: Sequence[tuple[str, str]] = (),
    body: bytes = b"",
    most_bytes: int = 262144,
) -> tuple[int, bytes]:
    """Return status and body of one request to a place. Raises UpstreamFailed."""
    pool = outside.connections(where, where.host, 10.0)
    try:
        raw = [(name.encode(), value.encode()) for name, value in headers]
        answering = await pool.send(method, where.target, raw, body)
        whole = b""
        try:
            while piece := await answering.read():
                whole += piece
                if len(whole) > most_bytes:
                    raise UpstreamFailed(f"{where.origin}: an answer of more than {most_bytes} bytes")
        finally:
            answering.release()
        return answering.status, whole
    finally:
        await pool.close()

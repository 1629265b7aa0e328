"""Listens on uvloop, bounds the number of connections, and drains: running answers may finish before it stops."""

import asyncio
import contextlib
import gc
import resource
import signal
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from email.utils import formatdate
from typing import Protocol

import uvloop

from bartizan.core.errors import BadSettings
from bartizan.gateway.inbound import App, Inbound
from bartizan.gateway.requests import Bounds, Reading, Room

_CHECK_S = 0.5
_GIVE_UP_S = 5.0


class Serving(App, Protocol):
    """An application with a beginning and an end."""

    def running(self) -> contextlib.AbstractAsyncContextManager[None]:
        """Be ready to answer for as long as the block lasts."""
        ...

    async def leave(self) -> None:
        """End what would never end of itself: the server is about to wait for running answers."""
        ...


class Server:
    """Everything that the connections of one listening socket share."""

    def __init__(self, app: App, bounds: Bounds | None = None) -> None:
        """Answer with `app`. Made and used on the event loop."""
        self.app = app
        self.bounds = bounds or Bounds()
        room = Room(self.bounds.held_bytes)
        self.reading = Reading(self.bounds, app.body_bytes, app.refusal, app.admits, room)
        self.loop = asyncio.get_running_loop()
        self.date = b""
        self.draining = False
        self._hurry = False
        self._connections: set[Inbound] = set()
        self._clients: Counter[str] = Counter()
        self._listening: asyncio.Server | None = None
        self._checks = self.loop.call_soon(self._check)

    def admit(self, connection: Inbound, address: str) -> str:
        """Count a new connection in; return why there is no room for it, or nothing."""
        self._connections.add(connection)
        self._clients[address] += 1
        most, each = self.bounds.connections, self.bounds.connections_per_client
        if most and len(self._connections) > most:
            return "The gateway has as many connections as it may."
        if each and self._clients[address] > each:
            return "This client has as many connections as it may."
        return ""

    def leave(self, connection: Inbound, address: str) -> None:
        """Count it out."""
        self._connections.discard(connection)
        self._clients[address] -= 1
        if self._clients[address] <= 0:
            del self._clients[address]

    async def start(self, listening: socket.socket) -> None:
        """Take connections."""
        self._listening = await self.loop.create_server(lambda: Inbound(self), sock=listening)

    async def stop(self, drain_s: float) -> None:
        """Take no more connections, give running answers `drain_s` to finish, then give them up."""
        self.draining = True
        if self._listening is not None:
            self._listening.close()
        for connection in tuple(self._connections):
            connection.stop()
        deadline = self.loop.time() + drain_s
        while self._connections and self.loop.time() < deadline and not self._hurry:
            await asyncio.sleep(0.02)
        for connection in tuple(self._connections):
            connection.cancel()
        given_up = self.loop.time() + _GIVE_UP_S
        while self._connections and self.loop.time() < given_up:
            await asyncio.sleep(0.02)
        self._checks.cancel()

    def hurry(self) -> None:
        """Wait for nothing more."""
        self._hurry = True

    def _check(self) -> None:
        """Write the date anew and give up what takes too long: one timer for all instead of one each."""
        self.date = f"date: {formatdate(usegmt=True)}\r\n".encode()
        now = self.loop.time()
        for connection in tuple(self._connections):
            connection.check(now)
        self._checks = self.loop.call_later(_CHECK_S, self._check)


@contextlib.asynccontextmanager
async def serving(
    app: Serving, listening: socket.socket, *, bounds: Bounds | None = None, drain_s: float = 30.0
) -> AsyncIterator[Server]:
    """Serve `app` on `listening` for as long as the block lasts, and drain at its end."""
    async with app.running():
        server = Server(app, bounds)
        await server.start(listening)
        try:
            yield server
        finally:
            await app.leave()
            await server.stop(drain_s)


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 picks a free one. Raises BadSettings when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        reason = error.strerror or str(error)
        raise BadSettings(f"cannot listen on {host}:{port}: {reason}", hint="Choose another --port.") from error
    listening.setblocking(False)
    return listening


def address(listening: socket.socket) -> str:
    """Return host and port of a listening socket as they stand in a URL."""
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def run(
    app: Serving,
    listening: socket.socket,
    ready: Callable[[], None],
    *,
    bounds: Bounds | None = None,
    drain_s: float = 30.0,
) -> None:
    """Serve `app` on `listening` until SIGTERM or SIGINT; running answers get `drain_s`, a second SIGINT ends them."""

    async def until_told() -> None:
        loop, told = asyncio.get_running_loop(), asyncio.Event()
        async with serving(app, listening, bounds=bounds, drain_s=drain_s) as server:
            loop.add_signal_handler(signal.SIGTERM, told.set)
            loop.add_signal_handler(signal.SIGINT, lambda: server.hurry() if told.is_set() else told.set())
            gc.collect()
            gc.freeze()  # what was made by now stays: no collection need look at it again
            ready()
            await told.wait()

    sys.setswitchinterval(0.0005)  # the ledger's and the screen's threads must not hold the loop for 5 ms
    gc.set_threshold(20000, 20, 20)  # requests leave little behind that needs a collection
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else max(soft, 65536), hard))
    uvloop.run(until_told())

"""Listens: uvicorn (httptools, uvloop) with the limits it lacks, and a drain that lets running answers finish.

Refused here, before any request exists: heads that are too large, too slow or carry both a length and a chunked body.
"""

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Callable, Generator
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bartizan.core.errors import BadSettings

_HEAD_BYTES = 65536
_HEAD_LINES = 128
_HEAD_S = 15.0


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a bound on the size, the number and the time of a request's headers."""

    _head_bytes = 0
    _in_body = False
    _lengths = 0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock of the first head."""
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(_HEAD_S, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed uvicorn unless the head has grown too large. A head that begins starts the clock."""
        if self.transport.is_closing():
            return
        self._head_bytes += len(data)
        super().data_received(data)
        if not self._in_body and self._head_bytes > _HEAD_BYTES and not self.transport.is_closing():
            self._refuse("431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        """Count the next head from its start."""
        super().on_message_begin()
        self._head_bytes, self._in_body, self._lengths = 0, False, 0
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(_HEAD_S, self._too_slow)

    def on_url(self, url: bytes) -> None:
        """Keep the URL within the head's bound."""
        super().on_url(url)
        if len(self.url) > 8192:
            raise ValueError("URL too long")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header. Trailers are dropped: they arrive after the request was judged."""
        if self._in_body:
            return
        super().on_header(name, value)
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._lengths += 1
        if len(self.headers) > _HEAD_LINES or self._lengths > 1 or b"\x00" in value:
            raise ValueError("a head no server should have to read")

    def on_headers_complete(self) -> None:
        """The head is whole: its clock stops and its bytes no longer count."""
        self._in_body = True
        self._stop_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The next bytes are a head again."""
        self._in_body, self._head_bytes = False, 0
        super().on_message_complete()

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _too_slow(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self._refuse("408 Request Timeout")

    def _refuse(self, status: str) -> None:
        self.transport.write(f"HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        self.transport.close()


class Server(uvicorn.Server):
    """uvicorn that says when it listens, and stops with exit code 0 when asked politely."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        """Call `ready` once connections are taken."""
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        if self.started:
            self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Take SIGINT and SIGTERM as requests to drain; a second SIGINT stops at once."""
        wanted = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in wanted}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


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


def run(app: Any, listening: socket.socket, ready: Callable[[], None], *, drain_s: float = 30.0) -> None:
    """Serve `app` on `listening` until SIGTERM or SIGINT; running answers get `drain_s` to finish."""
    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        loop="uvloop",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=max(1, round(drain_s)),
    )
    sys.setswitchinterval(0.0005)  # the ledger's and the screen's threads must not hold the loop for 5 ms
    Server(config, ready).run(sockets=[listening])

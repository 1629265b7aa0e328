"""One keep-alive HTTP/1.1 connection to an upstream: one request at a time, its body as it arrives.

Hand-written because a client library costs more than all our other steps (`make bench-gateway` has the figures).
Promises: bytes are handed on as they come, memory per response is bounded by back-pressure, silence longer than the
timeout is an error, and a body cut short is never mistaken for a complete one. Does not speak HTTP/2, follow redirects
or decompress.
"""

import asyncio
from typing import cast

import httptools

from bartizan.core.errors import UpstreamFailed

HIGH_WATER = 65536
PIECE = 16384
"""The most that is handed on at once: an answer that comes faster than it is screened takes turns with others."""
_LARGEST_HEAD, _READ = 65536, 262144
"""The event loop reads so much at once, body and all."""


class Connection(asyncio.Protocol):
    """A connection that carries one exchange after another. `reusable` says whether the next may use it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, timeout_s: float) -> None:
        """Prepare a connection whose longest silence is `timeout_s`."""
        self._loop = loop
        self._timeout_s = timeout_s
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._drained: asyncio.Event | None = None
        self._heard_at = 0.0
        self.exchanges = 0
        self.reusable = False
        self._clear()

    def _clear(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._chunks: list[bytes] = []
        self._buffered = 0
        self._paused = False
        self._framed = False
        self._surplus = False
        self._head_bytes = 0
        self._error: UpstreamFailed | None = None
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.head_done = False
        self.complete = False
        self.answered = False

    async def request(self, head: bytes, body: bytes) -> None:
        """Send one request and return when the answer's head has arrived. Raises UpstreamFailed."""
        transport = cast("asyncio.Transport", self._transport)
        self._clear()
        self.reusable = False
        self.exchanges += 1
        self._heard_at = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(self._timeout_s, self._check_silence)
        transport.write(head + body if len(body) < _READ else head)
        if len(body) >= _READ:
            transport.write(body)
        while not self.head_done:
            await self._wait()

    async def read(self) -> bytes:
        """Return the next bytes of the body, or nothing at its end. Raises UpstreamFailed when it is cut short."""
        while not self._chunks:
            if self.complete:
                return b""
            await self._wait()
        chunks = self._chunks
        if self._buffered <= PIECE:
            data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
            chunks.clear()
        else:
            count = size = 0
            while count < len(chunks) and size + len(chunks[count]) <= PIECE:
                size += len(chunks[count])
                count += 1
            data = b"".join(chunks[:count])
            del chunks[:count]
            await asyncio.sleep(0)
        self._buffered -= len(data)
        if self._buffered <= HIGH_WATER:
            self._resume()
        return data

    def close(self) -> None:
        """Close at once: whatever was still to come is not wanted."""
        self.reusable = False
        self._stop_timer()
        if self._transport is not None:
            self._transport.abort()

    @property
    def closed(self) -> bool:
        """Whether the other side, or we, have closed it."""
        return self._transport is None or self._transport.is_closing()

    async def _wait(self) -> None:
        self._raise_failure()
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
        if not self._chunks:
            self._raise_failure()

    def _raise_failure(self) -> None:
        if self._error is not None:
            raise self._error

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, what: str) -> None:
        if self._error is None and not self.complete:
            self._error = UpstreamFailed(what)
        self.reusable = False
        self._stop_timer()
        self._wake()

    def _resume(self) -> None:
        if self._paused and self._transport is not None:
            self._transport.resume_reading()
        self._paused = False

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check_silence(self) -> None:
        if self.complete:  # one timer serves many exchanges: making one for each costs more than it is worth
            self._timer = None
            return
        waited = self._loop.time() - self._heard_at
        if self._paused or waited < self._timeout_s:
            rest = self._timeout_s if self._paused else self._timeout_s - waited
            self._timer = self._loop.call_later(rest, self._check_silence)
            return
        self._fail(f"no byte for {self._timeout_s:g} s")
        self.close()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Feed the parser; anything it dislikes ends the connection."""
        self._heard_at = self._loop.time()
        self.answered = True
        if self.complete:
            self.close()  # nobody asked: whatever this is, it must not become the answer to the next request
            return
        if not self.head_done:
            self._head_bytes += len(data)
            if self._head_bytes > _LARGEST_HEAD + _READ:
                self._fail("answer with an endless head")
                self.close()
                return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(f"not an HTTP answer: {type(error).__name__}")
            self.close()

    def eof_received(self) -> None:
        """Judge an early end of the stream."""
        self._ended()

    def connection_lost(self, exc: Exception | None) -> None:
        """Judge a lost connection."""
        self._ended()
        self._transport = None

    def _ended(self) -> None:
        self.reusable = False
        if self.head_done and not self.complete and not self._framed:
            self.on_message_complete()
            self.reusable = False
        else:
            self._fail("connection closed before the answer was complete")

    # httptools callbacks

    def on_message_begin(self) -> None:
        """A second answer to one request: the connection can no longer be trusted."""
        if self.complete:
            self._surplus, self.reusable = True, False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; trailers are dropped."""
        if self.head_done:
            return
        name = name.lower()
        if name in (b"content-length", b"transfer-encoding"):
            self._framed = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is here, unless it is an interim answer (1xx)."""
        if self.complete:
            return
        self.status = self._parser.get_status_code()
        if self.status < 200:
            return
        self._framed = self._framed or self.status in (204, 304)
        self.head_done = True
        self._wake()

    def on_body(self, data: bytes) -> None:
        """Keep a piece of the body; stop reading while too much waits."""
        if self.complete:
            return
        if len(data) <= PIECE:
            self._chunks.append(data)
        else:
            self._chunks += [data[start : start + PIECE] for start in range(0, len(data), PIECE)]
        self._buffered += len(data)
        if self._buffered > HIGH_WATER and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def on_message_complete(self) -> None:
        """The answer is whole; the connection may be used again if both sides keep it."""
        if self.status < 200:
            self.headers = []
            self._framed = False
            return
        self.complete = True
        self.reusable = self._parser.should_keep_alive() and self._framed and not self._surplus
        self._wake()

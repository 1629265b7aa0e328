"""One connection of a client: whole requests in, answers out, everything bounded in size, number and time.

Hand-written because a general server costs more than all our other steps (`make bench-gateway`). One request
is answered at a time; those sent ahead wait in order. A client that goes away ends a stream; an answer that is no
stream is finished for the record. Does not speak HTTP/2, TLS or WebSocket.
"""

import asyncio
import http
import logging
import traceback
from collections import deque
from collections.abc import Awaitable
from typing import Protocol, cast

from bartizan.core.errors import BadEvidence, UpstreamFailed
from bartizan.gateway.auth import Headers
from bartizan.gateway.call import Answer, Call, Pieces
from bartizan.gateway.requests import Asking, Reading, RequestReader

_log = logging.getLogger("bartizan.gateway")

_LARGE = 262144
_STATUS = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in http.HTTPStatus}
_NO_BODY = (204, 304)
_KEEP = b"\r\n"
_CLOSE = b"connection: close\r\n\r\n"
_LINGER_S = 2.0
_MOST_DISCARDED = 1048576
"""So much is still read of who sends on after a refusal: many clients read only once they have written."""


class App(Protocol):
    """What answers."""

    body_bytes: int

    def answer(self, call: Call) -> Awaitable[Answer]:
        """Return the answer to one request."""
        ...

    def refusal(self, path: str, status: int, code: str, message: str) -> Answer:
        """Return an error in the form that the clients of `path` read."""
        ...

    def admits(self, headers: Headers) -> str:
        """Return why who sends these headers may not send a large body, or nothing."""
        ...


class Shared(Protocol):
    """What all connections of a server share."""

    app: App
    reading: Reading
    loop: asyncio.AbstractEventLoop
    date: bytes
    draining: bool

    def admit(self, connection: "Inbound", address: str) -> str:
        """Count a new connection in; return why there is no room for it, or nothing."""
        ...

    def leave(self, connection: "Inbound", address: str) -> None:
        """Count it out."""
        ...


class Inbound(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, shared: Shared) -> None:
        """Serve what arrives with what the server shares."""
        self._shared = shared
        self._reader: RequestReader | None = None
        self._transport: asyncio.Transport | None = None
        self._address = ""
        self._waiting: deque[Asking] = deque()
        self._task: asyncio.Task[None] | None = None
        self._streaming = False
        self._over = False
        self._held = False
        self._since = 0.0
        self._stalled_since = 0.0
        self._discarded = 0
        self._room: asyncio.Future[None] | None = None

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the clock of the first head, if there is room for another connection."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self._address = str(peer[0]) if peer else ""
        self._since = self._shared.loop.time()
        if why := self._shared.admit(self, self._address):
            self._over = True
            self._send(self._shared.app.refusal("", 503, "too_many_connections", why), keep=False, with_body=True)
            self._transport.close()
            return
        self._reader = RequestReader(self._shared.reading, self._address)
        self._reader.begun = True  # the first head is awaited from now on

    def connection_lost(self, exc: Exception | None) -> None:
        """End a stream that nobody reads any more."""
        self._shared.leave(self, self._address)
        self._transport, self._over = None, True
        self._forget_waiting()
        if self._reader is not None:
            self._reader.drop()
        self.resume_writing()
        if self._streaming and self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        """Read on, and answer what is whole."""
        reader = self._reader
        if reader is None or self._over:
            self._discarded += len(data)
            if self._discarded > _MOST_DISCARDED and self._transport is not None:
                self._transport.pause_reading()
            return
        before = (reader.begun, reader.in_body)
        found = reader.feed(data)
        if (reader.begun, reader.in_body) != before:
            self._since = self._shared.loop.time()
        if found:
            self._waiting += found
            if self._task is None:
                self._next()
        elif reader.expects and self._task is None and self._transport is not None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        reader.expects = False
        if self._waiting and self._transport is not None and not self._held:
            self._held = True
            self._transport.pause_reading()

    def pause_writing(self) -> None:
        """The client reads more slowly than we write."""
        self._stalled_since = self._shared.loop.time()
        self._room = self._shared.loop.create_future()

    def resume_writing(self) -> None:
        """It has caught up."""
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        self._room, self._stalled_since = None, 0.0

    def check(self, now: float) -> None:
        """Give up what takes too long. Called now and then by the server."""
        transport, reader, waited = self._transport, self._reader, now - self._since
        bounds = self._shared.reading.bounds
        if transport is None:
            return
        if self._stalled_since and now - self._stalled_since > bounds.stall_s:
            transport.abort()
        elif self._task is not None:
            return
        elif self._over or reader is None:
            if waited > _LINGER_S:
                transport.abort() if waited > bounds.stall_s else transport.close()
        elif reader.in_body and waited > bounds.body_s:
            self._late(reader.late("body", bounds.body_s))
        elif reader.begun and not reader.in_body and waited > bounds.head_s:
            self._late(reader.late("head", bounds.head_s))
        elif not reader.begun and waited > bounds.idle_s:
            self._over = True
            transport.close()

    def _late(self, refusal: Asking) -> None:
        self._waiting.append(refusal)
        self._next()

    def stop(self) -> None:
        """Take nothing more; what is being answered is answered."""
        if self._task is None and self._transport is not None:
            self._transport.close()

    def cancel(self) -> None:
        """Give up what is still being answered."""
        if self._task is not None:
            self._task.cancel()
        elif self._transport is not None:
            self._transport.abort()

    # answering

    def _next(self) -> None:
        """Begin the next answer, or wait for the next request."""
        transport = self._transport
        if self._waiting and transport is not None:
            self._task = self._shared.loop.create_task(self._serve(self._waiting.popleft()))
        elif transport is not None:
            if self._over and self._reader is not None and self._reader.unread:
                transport.write_eof()  # closing with bytes unread would take the refusal away from the client
            elif self._over:
                transport.close()
            if self._held:
                self._held = False
                transport.resume_reading()

    async def _serve(self, asked: Asking) -> None:
        keep = asked.keep
        try:
            answer = asked.answer
            if answer is None and asked.call is not None:
                answer = await self._answered(asked.call)
            assert answer is not None  # noqa: S101 - one of the two is always there
            read_on = self._reader is not None and not self._reader.over
            keep = keep and read_on and not self._shared.draining
            if answer.pieces is None:
                self._send(answer, keep, with_body=asked.body)
            else:
                keep = await self._send_pieces(answer, answer.pieces, keep, chunks=asked.chunks) and keep
        finally:
            self._task, self._since = None, self._shared.loop.time()
            self._shared.reading.room.give(asked.held)
            if not keep:
                self._over = True
                self._forget_waiting()
            self._next()

    def _forget_waiting(self) -> None:
        for asked in self._waiting:
            self._shared.reading.room.give(asked.held)
        self._waiting.clear()

    async def _answered(self, call: Call) -> Answer:
        try:
            return await self._shared.app.answer(call)
        except Exception as error:  # noqa: BLE001 - whatever broke, the client gets an answer and the others theirs
            place = traceback.extract_tb(error.__traceback__)[-1]  # a message might repeat what the request holds
            _log.error("a request broke the gateway: %s in %s:%s", type(error).__name__, place.filename, place.lineno)
            return self._shared.app.refusal(call.path, 500, "internal_error", "The gateway failed.")

    def _head(self, answer: Answer, keep: bool, framing: bytes) -> bytes:
        status = _STATUS.get(answer.status) or b"HTTP/1.1 %d \r\n" % answer.status
        lines = [b"%b: %b\r\n" % pair for pair in answer.headers if b"\n" not in pair[1] and b"\r" not in pair[1]]
        return b"".join((status, self._shared.date, *lines, framing, _KEEP if keep else _CLOSE))

    def _send(self, answer: Answer, keep: bool, *, with_body: bool) -> None:
        transport = self._transport
        if transport is None:
            return
        body = answer.body
        head = self._head(answer, keep, b"" if answer.status in _NO_BODY else b"content-length: %d\r\n" % len(body))
        if not with_body or answer.status in _NO_BODY:
            transport.write(head)
        elif len(body) < _LARGE:
            transport.write(head + body)
        else:
            transport.write(head)
            transport.write(body)

    async def _send_pieces(self, answer: Answer, pieces: Pieces, keep: bool, *, chunks: bool) -> bool:
        """Send the pieces as they come; return whether the client got the end of them."""
        self._streaming = True
        try:
            if self._transport is None:
                return False
            keep = keep and chunks
            self._transport.write(self._head(answer, keep, b"transfer-encoding: chunked\r\n" if chunks else b""))
            async for piece in pieces:
                if piece and self._transport is not None:
                    self._transport.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunks else piece)
                if self._room is not None:
                    await self._room
            if chunks and self._transport is not None:
                self._transport.write(b"0\r\n\r\n")
            return chunks
        except (UpstreamFailed, BadEvidence) as error:
            _log.warning("stream cut short: %s", error)  # closing without an end tells the client that it is cut
            return False
        finally:
            self._streaming = False
            await pieces.close()

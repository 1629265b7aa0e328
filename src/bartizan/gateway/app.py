"""The ASGI application: finds the wire, reads the body within bounds, runs the exchange, sends what comes of it.

Raw ASGI, no framework: routing is one dictionary. Does not decide anything about a request's content.
"""

import asyncio
import contextlib
import logging
import re
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from bartizan.core.errors import BadEvidence, BadRequest, UpstreamFailed
from bartizan.gateway.exchange import Answer, Call, Gate, Pieces, exchange
from bartizan.gateway.models import models
from bartizan.gateway.operations import operations
from bartizan.gateway.wires import WIRES
from bartizan.gateway.wires.base import Wire
from bartizan.gateway.wires.openai_answers import openai_error

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_log = logging.getLogger("bartizan.gateway")
_MODELS = re.compile(r"/v1/models(?:/[A-Za-z0-9._:/@-]{1,200})?")
_BODY_S = 30.0
_READ_S = 60.0


class _TooLargeError(Exception):
    pass


class GatewayApp:
    """The application. `open_gate` makes the gate when the server starts and closes it when the server stops."""

    def __init__(
        self,
        open_gate: Callable[[], contextlib.AbstractAsyncContextManager[Gate]],
        *,
        wires: Sequence[Wire] = WIRES,
        body_bytes: int = 16777216,
    ) -> None:
        """Prepare the routes; the gate is opened by the ASGI lifespan."""
        self._open_gate = open_gate
        self._gate: Gate | None = None
        self._body_bytes = body_bytes
        self._wires = {path: wire for wire in wires for path in wire.paths}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            async with self._open_gate() as self._gate:
                await send({"type": "lifespan.startup.complete"})
                await receive()
                self._gate = None
        except BaseException as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, method, gate = scope["path"], scope["method"], self._gate
        wire = self._wires.get(path)
        if gate is None:
            answer = _own(503, "not_ready", "The gateway is starting or stopping.")
        elif wire is not None and method == "POST":
            answer = await self._exchange(gate, wire, scope, receive)
        elif method == "GET" and _MODELS.fullmatch(path) and ".." not in path:
            answer = await models(gate, Call("GET", _target(scope), scope["headers"], b""))
        elif path in ("/healthz", "/readyz", "/metrics") and method in ("GET", "HEAD"):
            answer = operations(gate, path, scope["headers"])
        elif wire is not None:
            answer = _own(405, "method_not_allowed", f"{path} takes POST, got {method[:20]}.")
        else:
            answer = _own(404, "not_found", f"No route {path[:100]!r} here.")
        if answer.pieces is None:
            await _send_whole(send, answer)
        else:
            await _send_pieces(send, receive, answer, answer.pieces)

    async def _exchange(self, gate: Gate, wire: Wire, scope: Scope, receive: Receive) -> Answer:
        headers = scope["headers"]
        try:
            body = await self._body(headers, receive)
        except _TooLargeError:
            return _own(413, "request_too_large", f"Request body of more than {self._body_bytes} bytes.", wire)
        except TimeoutError:
            return _own(408, "request_timeout", f"Request body not complete within {_BODY_S:g} s.", wire)
        except BadRequest as error:
            return _own(415, "unsupported_encoding", str(error), wire)
        return await exchange(gate, wire, Call("POST", _target(scope), headers, body, _address(scope)))

    async def _body(self, headers: list[tuple[bytes, bytes]], receive: Receive) -> bytes:
        for name, value in headers:
            if name == b"content-length" and (len(value) > 12 or int(value) > self._body_bytes):
                raise _TooLargeError
            if name == b"content-encoding" and value.lower() != b"identity":
                raise BadRequest("compressed request bodies are not taken: what is not read cannot be screened")
        message = await receive()
        if not message.get("more_body"):
            return bytes(message.get("body", b""))
        body = bytearray(message["body"])
        async with asyncio.timeout(_BODY_S):
            while message.get("more_body"):
                message = await receive()
                body += message.get("body", b"")
                if len(body) > self._body_bytes:
                    raise _TooLargeError
        return bytes(body)


def _target(scope: Scope) -> str:
    query: bytes = scope.get("query_string", b"")
    path: str = scope["path"]
    return f"{path}?{query.decode('latin-1')}" if query else path


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _own(status: int, code: str, message: str, wire: Wire | None = None) -> Answer:
    said = wire.error(status, code, message) if wire else openai_error(status, code, message)
    return Answer(status, [(b"content-type", said.content_type)], said.body)


async def _send_whole(send: Send, answer: Answer) -> None:
    headers = [*answer.headers, (b"content-length", b"%d" % len(answer.body))]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def _send_pieces(send: Send, receive: Receive, answer: Answer, pieces: Pieces) -> None:
    """Send the pieces as they come; stop asking for more when the client has gone, or reads nothing for too long."""
    loop = asyncio.get_running_loop()
    sending_since = 0.0

    async def deliver() -> None:
        nonlocal sending_since
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        async for piece in pieces:
            sending_since = loop.time()
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            sending_since = 0.0
        await send({"type": "http.response.body", "body": b""})

    delivering = asyncio.ensure_future(deliver())
    leaving = asyncio.ensure_future(_gone(receive))
    try:
        done: set[asyncio.Future[None]] = set()
        while not done and not (sending_since and loop.time() - sending_since > _READ_S):
            done, _ = await asyncio.wait((delivering, leaving), timeout=_READ_S, return_when=asyncio.FIRST_COMPLETED)
    finally:
        leaving.cancel()
        if not delivering.done():
            delivering.cancel()
            await asyncio.wait((delivering,))
        await pieces.close()
    error = None if delivering.cancelled() else delivering.exception()
    if isinstance(error, UpstreamFailed | BadEvidence):
        _log.warning("stream cut short: %s", error)  # returning without an end makes the server cut the client off too
    elif error is not None:
        raise error


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

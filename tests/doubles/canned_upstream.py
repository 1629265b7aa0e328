"""A model server that gives canned answers by path, over real sockets: what a client gets directly and through us."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import uvicorn

from bartizan.gateway.server import listen


@dataclass
class Canned:
    """One canned answer: pieces are sent one by one."""

    pieces: list[bytes]
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


def event_stream(*events: dict[str, object] | str, named: bool = False) -> Canned:
    """Return a stream with one piece per event."""
    pieces = []
    for event in events:
        name = f"event: {event['type']}\n" if named and isinstance(event, dict) else ""
        data = event if isinstance(event, str) else json.dumps(event)
        pieces.append(f"{name}data: {data}\n\n".encode())
    return Canned(pieces, content_type="text/event-stream; charset=utf-8")


def document(value: object, status: int = 200, **headers: str) -> Canned:
    """Return a JSON answer."""
    return Canned([json.dumps(value).encode()], status, headers={"x-request-id": "req_1", **headers})


@contextlib.asynccontextmanager
async def canned_upstream(answers: dict[tuple[str, bool], Canned]) -> AsyncIterator[str]:
    """Serve `answers` by (path, was a stream asked for) and yield the base URL."""

    async def app(scope, receive, send):  # type: ignore[no-untyped-def]
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        stream = bool(json.loads(body).get("stream")) if body else False
        canned = answers.get((scope["path"], stream), document({"error": {"message": "no such path"}}, 404))
        headers = [(b"content-type", canned.content_type.encode())]
        headers += [(name.encode(), value.encode()) for name, value in canned.headers.items()]
        await send({"type": "http.response.start", "status": canned.status, "headers": headers})
        for piece in canned.pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": b""})

    listening = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, ws="none", log_config=None, access_log=False, lifespan="off"))
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        await asyncio.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving

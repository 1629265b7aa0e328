"""A model server made of sockets: each connection gets the next script of raw answers. Loopback only."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field


@dataclass
class TcpUpstream:
    """What the scripted server saw and where it listens."""

    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    broken: int = 0

    @property
    def url(self) -> str:
        """Return its base URL."""
        return f"http://127.0.0.1:{self.port}"


Step = bytes | float | None
"""Bytes to send, seconds to wait, or None to close the connection."""


def answer(body: bytes, *, status: bytes = b"200 OK", extra: bytes = b"") -> bytes:
    """Return a complete answer with a length."""
    return b"HTTP/1.1 %b\r\ncontent-type: application/json\r\n%bcontent-length: %d\r\n\r\n%b" % (
        status,
        extra,
        len(body),
        body,
    )


def chunked(*pieces: bytes) -> list[Step]:
    """Return a chunked answer, one step per chunk."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    return [head, *(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces), b"0\r\n\r\n"]


@contextlib.asynccontextmanager
async def tcp_upstream(*scripts: Sequence[Sequence[Step]]) -> AsyncIterator[TcpUpstream]:
    """Serve: connection i answers its requests with scripts[i] in turn; the last script serves all that follow."""
    seen = TcpUpstream()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = scripts[min(seen.connections, len(scripts) - 1)]
        seen.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            for steps in script:
                seen.requests.append(await _request(reader))
                for step in steps:
                    match step:
                        case None:
                            raise ConnectionResetError
                        case bytes():
                            writer.write(step)
                            await writer.drain()
                        case _:
                            await asyncio.sleep(step)
            if not await reader.read(1):
                seen.broken += 1
        writer.close()

    async def track(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await serve(reader, writer)

    writers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(track, "127.0.0.1", 0)
    seen.port = server.sockets[0].getsockname()[1]
    try:
        yield seen
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0.01)


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return head + await reader.readexactly(length)

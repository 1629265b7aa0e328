"""One connection: answers that are not HTTP, heads without end, connections lost while waiting."""

import asyncio

import pytest
from tests.doubles.tcp_upstream import tcp_upstream

from bartizan.core.errors import UpstreamFailed
from bartizan.gateway.http1 import HIGH_WATER, PIECE, Connection


async def ask(server):
    """Send one request over a new connection and return the connection."""
    loop = asyncio.get_running_loop()
    connection = Connection(loop, 1.0)
    await loop.create_connection(lambda: connection, "127.0.0.1", server.port)
    await connection.request(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", b"")
    return connection


@pytest.mark.parametrize(
    "raw",
    [
        b"220 smtp ready\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"a" * 400_000,
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
    ],
    ids=["not http", "bad chunk", "endless head", "upgrade"],
)
async def test_what_is_not_an_answer_is_an_error(raw):
    """Bounded and typed, never a hang."""
    async with tcp_upstream([[raw, 0.2, None]]) as server:
        with pytest.raises(UpstreamFailed):
            await (await ask(server)).read()


async def test_no_content_is_complete_at_once():
    """204 has no body and keeps the connection."""
    async with tcp_upstream([[b"HTTP/1.1 204 No Content\r\n\r\n"]]) as server:
        connection = await ask(server)
        assert await connection.read() == b""
        assert connection.reusable
        connection.close()


@pytest.mark.parametrize("size", [PIECE, 1_000_000])
async def test_a_large_body_comes_whole_in_pieces_and_others_take_turns(size):
    """What is buffered is bounded, no piece is larger than it may be, and between two of them somebody else runs."""
    body = bytes(range(256)) * (size // 256)
    head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body)
    turns, buffered, got = 0, 0, b""

    async def beside():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with tcp_upstream([[head + body]]) as server:
        connection = await ask(server)
        task = asyncio.create_task(beside())
        await asyncio.sleep(0.1)
        turns, pieces = 0, 0
        while piece := await connection.read():
            buffered = max(buffered, connection._buffered)
            pieces, got = pieces + 1, got + piece
            assert len(piece) <= PIECE
        task.cancel()
        assert got == body
        assert buffered < HIGH_WATER + 2 * 262_144
        assert turns >= pieces - HIGH_WATER // PIECE
        assert connection.reusable
        connection.close()

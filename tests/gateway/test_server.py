"""The listening edge against raw sockets: what it refuses before a request exists."""

import asyncio

import pytest
from tests.gateway.conftest import chat

from bartizan.core.errors import BadSettings
from bartizan.gateway import server


async def raw(url, data, *, wait=2.0):
    """Send bytes, return everything that comes back until the server closes or `wait` passed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(data)
    got = b""
    try:
        async with asyncio.timeout(wait):
            while piece := await reader.read(65536):
                got += piece
    except (TimeoutError, ConnectionError):
        pass
    writer.close()
    return got


BODY = chat()
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (HEAD + b"content-length: 5\r\ncontent-length: 6\r\n\r\n" + BODY, b"400"),
        (HEAD + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (HEAD + b"transfer-encoding: identity, chunked, gzip\r\n\r\n0\r\n\r\n", b"400"),
        (HEAD + b"x: " + b"a" * 200_000, b"431"),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n", b"400"),
        (HEAD + b"x: y\r\n" * 500 + b"\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"400"),
        (HEAD + b"content-length: -1\r\n\r\n", b"400"),
        (HEAD + b"x : y\r\n\r\n", b"400"),
    ],
    ids=[
        "two lengths",
        "length and chunked",
        "odd coding",
        "huge head",
        "huge url",
        "many headers",
        "tls",
        "minus",
        "space",
    ],
)
async def test_hostile_heads_are_refused(world, data, status):
    """A clear status, a closed connection, nothing forwarded."""
    async with world.server() as url:
        got = await raw(url, data)
    assert got.startswith(b"HTTP/1.1 " + status), got[:80]
    assert world.upstream.sent == []


async def test_a_slow_head_is_cut_off(world, monkeypatch):
    """Slow-loris: a head that does not end within the limit loses its connection."""
    monkeypatch.setattr(server, "_HEAD_S", 0.1)
    async with world.server() as url:
        got = await raw(url, HEAD)
    assert got.startswith(b"HTTP/1.1 408")


async def test_trailers_never_become_headers(world):
    """A trailer that names a header arrives after the judgement and is dropped."""
    body = b"%x\r\n%b\r\n0\r\nauthorization: Bearer late\r\n\r\n" % (len(BODY), BODY)
    async with world.server() as url:
        got = await raw(url, HEAD + b"connection: close\r\ntransfer-encoding: chunked\r\n\r\n" + body)
    assert got.startswith(b"HTTP/1.1 200")
    assert b"authorization" not in dict(world.upstream.sent[0][2])


async def test_a_large_body_is_not_a_large_head(world):
    """Bodies have their own limit."""
    async with world.server() as url:
        body = chat("x" * 300_000)
        got = await raw(url, HEAD + b"connection: close\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
    assert got.startswith(b"HTTP/1.1 200")


def test_a_taken_port_is_a_clear_error():
    """The address and the reason."""
    first = server.listen("127.0.0.1", 0)
    with pytest.raises(BadSettings, match="cannot listen on"):
        server.listen("127.0.0.1", first.getsockname()[1])
    first.close()

"""The pool against a real socket: reuse, stale connections, truncation, silence, headers."""

import asyncio

import pytest
from tests.doubles.tcp_upstream import answer, chunked, tcp_upstream

from bartizan.core.errors import BadSettings, UpstreamFailed
from bartizan.gateway.upstream import HttpUpstream

JSON = [(b"content-type", b"application/json")]


async def body_of(given):
    """Read an answer to its end and give it back."""
    pieces = []
    try:
        while piece := await given.read():
            pieces.append(piece)
    finally:
        given.release()
    return b"".join(pieces)


async def test_a_connection_is_used_again():
    """Three requests in a row travel over one connection."""
    async with tcp_upstream([[answer(b"1")], [answer(b"2")], chunked(b"a", b"b")]) as server:
        pool = HttpUpstream("u", server.url)
        assert [await body_of(await pool.send("POST", "/x", JSON, b"q")) for _ in range(3)] == [b"1", b"2", b"ab"]
        assert server.connections == 1
        await pool.close()


async def test_a_stale_connection_is_replaced_once():
    """A kept connection that the server closed before answering is tried again on a new one; a fresh one is not."""
    async with tcp_upstream([[answer(b"1")], [None]], [[answer(b"2")]], [[None]]) as server:
        pool = HttpUpstream("u", server.url)
        await body_of(await pool.send("POST", "/x", JSON, b"q"))
        assert await body_of(await pool.send("POST", "/x", JSON, b"q")) == b"2"
        await pool.close()
        with pytest.raises(UpstreamFailed, match="closed before"):
            await pool.send("POST", "/x", JSON, b"q")


@pytest.mark.parametrize(
    "cut",
    [
        [b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", None],
        [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n", None],
    ],
)
async def test_a_body_cut_short_is_an_error(cut):
    """It must never look like a complete answer."""
    async with tcp_upstream([cut]) as server:
        given = await HttpUpstream("u", server.url).send("POST", "/x", JSON, b"q")
        with pytest.raises(UpstreamFailed):
            await body_of(given)


async def test_a_body_without_a_length_ends_with_the_connection():
    """HTTP/1.0 style bodies are taken, the connection is not kept."""
    async with tcp_upstream([[b"HTTP/1.1 200 OK\r\n\r\nall of it", None]]) as server:
        assert await body_of(await HttpUpstream("u", server.url).send("POST", "/x", JSON, b"q")) == b"all of it"


async def test_silence_is_an_error():
    """No byte within the limit ends the exchange, before the head and in the middle of a body."""
    async with tcp_upstream([[5.0]]) as server:
        with pytest.raises(UpstreamFailed, match="no byte for"):
            await HttpUpstream("u", server.url, timeout_s=0.05).send("POST", "/x", JSON, b"q")
    async with tcp_upstream([[b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", 5.0]]) as server:
        given = await HttpUpstream("u", server.url, timeout_s=0.05).send("POST", "/x", JSON, b"q")
        with pytest.raises(UpstreamFailed, match="no byte for"):
            await body_of(given)


async def test_a_slow_but_living_stream_is_not_silence():
    """The limit counts from the last byte, not from the start."""
    steps = [step for piece in chunked(*[b"x"] * 6) for step in (piece, 0.03)]
    async with tcp_upstream([steps]) as server:
        given = await HttpUpstream("u", server.url, timeout_s=0.1).send("POST", "/x", JSON, b"q")
        assert await body_of(given) == b"xxxxxx"


async def test_unasked_bytes_never_become_the_next_answer():
    """A server that sends a second answer to one request loses its connection."""
    async with tcp_upstream([[answer(b"1") + answer(b"planted")]], [[answer(b"2")]]) as server:
        pool = HttpUpstream("u", server.url)
        assert await body_of(await pool.send("POST", "/x", JSON, b"q")) == b"1"
        assert await body_of(await pool.send("POST", "/x", JSON, b"q")) == b"2"
        assert server.connections == 2


async def test_an_interim_answer_is_skipped():
    """103 Early Hints is not the answer."""
    hints = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
    async with tcp_upstream([[hints + answer(b"1")]]) as server:
        given = await HttpUpstream("u", server.url).send("POST", "/x", JSON, b"q")
        assert (given.status, await body_of(given)) == (200, b"1")
        assert (b"link", b"x") not in given.headers


async def test_memory_is_bounded_by_a_slow_reader():
    """A body far larger than the buffer arrives whole although it is read late."""
    big = b"x" * 8_000_000
    async with tcp_upstream([[answer(big)]]) as server:
        given = await HttpUpstream("u", server.url).send("POST", "/x", JSON, b"q")
        await asyncio.sleep(0.1)
        assert given._connection._buffered < 2_000_000
        assert await body_of(given) == big


async def test_our_key_replaces_the_clients():
    """Hop-by-hop headers, cookies and client keys stop here; the rest goes on in order."""
    sent = [
        (b"host", b"gate"),
        (b"authorization", b"Bearer client"),
        (b"cookie", b"session=1"),
        (b"connection", b"close"),
        (b"x-stainless-lang", b"python"),
    ]
    async with tcp_upstream(
        [[answer(b"1", extra=b"set-cookie: a=b\r\nx-request-id: r1\r\n")], [answer(b"2")]]
    ) as server:
        pool = HttpUpstream("u", server.url, key="provider")
        given = await pool.send("POST", "/x", sent, b"q")
        await body_of(given)
        await body_of(
            await HttpUpstream("u", server.url + "/base", forward_client_key=True).send("GET", "/x", sent, b"")
        )
    first, second = (request.decode().lower() for request in server.requests)
    assert "authorization: bearer provider" in first
    assert "x-stainless-lang: python" in first
    assert not any(word in first for word in ("client", "session", "gate\r\n", "connection: close"))
    assert (b"x-request-id", b"r1") in given.headers
    assert b"set-cookie" not in dict(given.headers)
    assert second.startswith("get /base/x http/1.1\r\n")
    assert "bearer client" in second


async def test_nobody_listening_is_an_error_that_names_the_upstream():
    """The operator reads which upstream it was."""
    with pytest.raises(UpstreamFailed, match="upstream u: cannot connect"):
        await HttpUpstream("u", "http://127.0.0.1:1").send("GET", "/", [], b"")
    with pytest.raises(BadSettings, match="expected http"):
        HttpUpstream("u", "ftp://x")

"""One connection against raw sockets: what is refused before a request exists, and how answers are written."""

import asyncio

import pytest
from tests.gateway.conftest import chat

from bartizan.gateway.auth import SharedKey
from bartizan.gateway.inbound import Inbound
from bartizan.gateway.requests import Bounds
from bartizan.gateway.server import Server, listen, serving
from bartizan.gateway.testing import StubUpstream


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
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n", b"414"),
        (HEAD + b"x: y\r\n" * 500 + b"\r\n", b"431"),
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


async def test_what_is_too_slow_is_cut_off(world):
    """Slow-loris: a head, a body and a connection that do nothing lose it; so does a reader who reads nothing."""
    async with world.server(Bounds(head_s=0.1, body_s=0.2, idle_s=0.1)) as url:
        assert (await raw(url, HEAD)).startswith(b"HTTP/1.1 408")
        assert (await raw(url, HEAD + b"content-length: 50\r\n\r\n{")).startswith(b"HTTP/1.1 408")
        length = b"content-length: %d\r\n\r\n" % len(BODY)
        idle = await raw(url, HEAD + length + BODY, wait=5)
    assert idle.startswith(b"HTTP/1.1 200")
    assert b"connection: close" not in idle


async def test_a_client_that_reads_nothing_is_given_up(world):
    """Its upstream is given back and the record says aborted."""
    world.upstream = StubUpstream([b"data: " + b"x" * 60_000 + b" \n\n"] * 500, content_type=b"text/event-stream")
    async with world.server(Bounds(stall_s=0.1)) as url:
        _, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]), limit=1024)
        streamed = chat(stream=True)
        writer.write(HEAD + b"content-length: %d\r\n\r\n" % len(streamed) + streamed)
        async with asyncio.timeout(8):
            while not world.records or world.records[-1][1]["outcome"] != "aborted":
                await asyncio.sleep(0.02)
        writer.close()
    assert world.upstream.answers[0].released


async def test_a_body_over_the_limit_is_413_in_the_dialects_form(world):
    """Announced or not, it is not read to its end; the client still gets to read why."""
    world.body_bytes = 1000
    async with world.server() as url:
        announced = await raw(url, HEAD + b"content-length: 1001\r\n\r\n" + b" " * 1001)
        chunks = b"".join(b"64\r\n" + b" " * 100 + b"\r\n" for _ in range(2000))
        grown = await raw(url, HEAD + b"transfer-encoding: chunked\r\n\r\n" + chunks)
        claude = HEAD.replace(b"chat/completions", b"messages")
        dialect = await raw(url, claude + b"content-length: 99999\r\n\r\n")
    for got in (announced, grown, dialect):
        assert got.startswith(b"HTTP/1.1 413"), got[:60]
    assert b'"type":"request_too_large"' in dialect
    assert world.upstream.sent == []


async def test_a_flood_of_large_bodies_holds_bounded_memory(world):
    """Who has no key is told so before the body is read; those with one share the room, which is free at the end."""
    world.auth, world.body_bytes = SharedKey("k"), 1 << 20
    listening = listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    length, key = b"content-length: 400000\r\n\r\n", b"x-api-key: k\r\n"
    async with serving(world.app(), listening, bounds=Bounds(held_bytes=1 << 20), drain_s=0.2) as server:
        room = server.reading.room

        async def sent(head, body):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head + body)
            return reader, writer

        reader, stranger = await sent(HEAD + length, b"")
        assert b" 401 " in await asyncio.wait_for(reader.readline(), 5)
        held = [await sent(HEAD + key + length, b" " * 399_000) for _ in range(8)]
        answered, _ = await asyncio.wait([asyncio.ensure_future(reader.readline()) for reader, _ in held], timeout=1)
        assert len(answered) >= 5
        assert all(b" 503 " in one.result() for one in answered)
        assert 300_000 < room.used <= 1 << 20
        small = await raw(f"http://127.0.0.1:{port}", HEAD + key + b"content-length: %d\r\n\r\n" % len(BODY) + BODY)
        assert small.startswith(b"HTTP/1.1 200")
        for _, writer in [*held, (reader, stranger)]:
            writer.close()
        async with asyncio.timeout(5):
            while room.used:
                await asyncio.sleep(0.01)


async def test_who_sends_on_after_a_refusal_is_not_read_for_ever(world):
    """A little, so that simple clients get to read the refusal; then no more."""

    class Transport:
        """Notes what becomes of it."""

        written, paused = b"", 0

        def get_extra_info(self, _):
            return ("127.0.0.1", 1)

        def write(self, data):
            self.written += data

        def pause_reading(self):
            self.paused += 1

        def write_eof(self):
            self.written += b"EOF"

    app, transport = world.app(), Transport()
    async with app.running():
        connection = Inbound(Server(app))
        connection.connection_made(transport)
        connection.data_received(HEAD + b"content-length: 99999999\r\n\r\n")
        await asyncio.sleep(0.01)
        assert transport.written.startswith(b"HTTP/1.1 413")
        assert transport.written.endswith(b"EOF")
        before = transport.paused
        for _ in range(4):
            connection.data_received(b" " * 262_144)
        assert transport.paused == before
        connection.data_received(b" ")
        assert transport.paused == before + 1


async def test_requests_sent_ahead_are_answered_in_order(world):
    """Pipelining: as many answers as requests, the last of which closes."""
    world.upstream = StubUpstream((b'{"ok":1}',))
    one = HEAD + b"content-length: %d\r\n\r\n" % len(BODY) + BODY
    last = HEAD + b"connection: close\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY
    async with world.server() as url:
        got = await raw(url, one * 20 + b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n" + last)
    assert got.count(b"HTTP/1.1 200") == 22
    assert got.count(b'{"ok":1}') == 21
    assert got.index(b'"status":"ok"') < got.rindex(b'{"ok":1}')
    assert got.count(b"connection: close") == 1


async def test_a_body_may_come_byte_by_byte_and_in_odd_chunks(world):
    """The same bytes arrive."""
    chunked = b"".join(b"1;ext=1\r\n%c\r\n" % byte for byte in BODY) + b"0\r\n\r\n"
    data = HEAD + b"connection: close\r\ntransfer-encoding: chunked\r\n\r\n" + chunked
    async with world.server() as url:
        _, writer = reader_writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        for start in range(0, len(data), 7):
            writer.write(data[start : start + 7])
            await asyncio.sleep(0)
        got = await reader_writer[0].read()
        writer.close()
    assert got.startswith(b"HTTP/1.1 200")
    assert world.upstream.sent[0][3] == BODY


async def test_a_client_that_expects_to_be_asked_is_asked(world):
    """100 Continue, then the answer."""
    expecting = HEAD + b"connection: close\r\nexpect: 100-continue\r\ncontent-length: %d\r\n\r\n" % len(BODY)
    async with world.server() as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(expecting)
        assert await reader.readexactly(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(BODY)
        assert (await reader.read()).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_an_upgrade_is_not_taken_and_the_request_is_served(world):
    """Java's own client offers HTTP/2 in every first request; its body must not get lost."""
    offer = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQ\r\n"
    async with world.server() as url:
        got = await raw(url, HEAD + offer + b"content-length: %d\r\n\r\n" % len(BODY) + BODY)
    assert got.startswith(b"HTTP/1.1 200")
    assert world.upstream.sent[0][3] == BODY


async def test_http_1_0_gets_an_answer_without_chunks(world):
    """A stream ends where the connection does."""
    world.upstream = StubUpstream((b"data: 1 \n\n", b"data: [DONE]\n\n"), content_type=b"text/event-stream")
    old, streamed = HEAD.replace(b"HTTP/1.1", b"HTTP/1.0"), chat(stream=True)
    async with world.server() as url:
        got = await raw(url, old + b"content-length: %d\r\n\r\n" % len(streamed) + streamed)
    assert got.endswith(b"\r\n\r\ndata: 1 \n\ndata: [DONE]\n\n")
    assert b"chunked" not in got


async def test_a_head_request_has_no_body_and_a_full_target_is_understood(world):
    """`HEAD`, and the form that proxies send."""
    async with world.server() as url:
        head = await raw(url, b"HEAD /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        full = await raw(url, b"GET http://x/healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        fragment = await raw(url, b"GET /healthz#x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert head.endswith(b"\r\n\r\n")
    assert b"content-length: 15" in head
    assert full.endswith(b'{"status":"ok"}')
    assert not fragment.startswith(b"HTTP/1.1 200")


async def test_a_crash_of_ours_is_one_answer_and_leaks_nothing(world, caplog):
    """500 without details; the log holds the place, not the message; others are served."""

    class Broken(type(world.auth)):
        def identify(self, headers):
            raise KeyError("sk-secret")

    world.auth = Broken()
    async with world.server() as url:
        got = await raw(url, HEAD + b"connection: close\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY)
        fine = await raw(url, b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 500")
    assert fine.startswith(b"HTTP/1.1 200")
    assert "sk-secret" not in caplog.text + got.decode()
    assert "KeyError in" in caplog.text


async def test_a_header_with_a_line_break_is_not_written(world):
    """It would become two."""

    class Split(StubUpstream):
        async def send(self, *request):
            answer = await super().send(*request)
            answer.headers.append((b"x-odd", b"a\r\nset-cookie: b"))
            return answer

    world.upstream = Split()
    async with world.server() as url:
        got = await raw(url, HEAD + b"connection: close\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY)
    assert got.startswith(b"HTTP/1.1 200")
    assert b"set-cookie" not in got


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

"""A way to a server over HTTP: its session, what it says in which answer, and its end."""

import asyncio
import contextlib

import pytest
from tests.mcp.http.far_server import FarServer, served

from bartizan.core.errors import UpstreamFailed
from bartizan.mcp.http.credentials import NoCredential
from bartizan.mcp.http.far import Far
from bartizan.mcp.http.link import HttpLink
from bartizan.mcp.http.outside import Outside, place
from bartizan.mcp.messages import Answer, Notification, Request, read


class Heard:
    """Who listens: keeps what is said, and in whose answer."""

    version = "2025-11-25"

    def __init__(self):
        self.said, self.gone, self.asked, self.news = [], [], set(), asyncio.Event()

    def waiting(self, id_):
        return id_ in self.asked

    async def server_sends(self, raw, via=None):
        message = read(raw)
        self.said.append((message, via))
        self.asked.discard(getattr(message, "id", None))
        self.news.set()

    async def lost(self, id_, why):
        self.asked.discard(id_)
        self.gone.append((id_, why))
        self.news.set()

    def streams(self, id_):
        """It may."""

    def hangs_up(self, id_, retry_ms):
        """It may."""


@contextlib.asynccontextmanager
async def linked(far):
    """Yield a link to a server and who listens."""
    async with served(far) as url:
        way = Far("far", place(url), Outside({"127.0.0.1"}), NoCredential(), timeout_s=5.0)
        link, ear = HttpLink(way, lambda _: {}, 1 << 20), Heard()
        await link.open(ear)
        yield link, ear
        await link.close()
        await way.close()


async def asked(link, ear, id_, method, **params):
    """Ask, and wait for whatever comes of it."""
    ear.asked.add(id_)
    await link.send(Request(id_, method, params))
    while id_ in ear.asked:
        ear.news.clear()
        await asyncio.wait_for(ear.news.wait(), 10)


async def test_a_session_is_held_and_left():
    """Its id goes with each message, its own stream is heard, its end is told."""
    far = FarServer()
    async with linked(far) as (link, ear):
        await asked(link, ear, 1, "initialize")
        await link.send(Notification("notifications/initialized", {}))
        ear.news.clear()
        await asyncio.wait_for(ear.news.wait(), 10)
        assert ear.said[-1][1] is None
        await asked(link, ear, 2, "tools/call", name="plain")
        assert ear.said[-1][1] == 2
    assert far.left == ["far-0"]
    assert all(headers["mcp-session-id"] == "far-0" for _, headers, _ in far.sent[1:])


async def test_a_session_that_the_server_forgot_is_over():
    """404 for a session: it must be begun anew."""
    far = FarServer()
    async with linked(far) as (link, ear):
        await asked(link, ear, 1, "initialize")

        async def forgotten(message, headers):
            answer = far._json({"jsonrpc": "2.0", "id": message["id"], "error": {"code": -1, "message": "gone"}})
            answer.status = 404
            return answer

        far._asked = forgotten
        await asked(link, ear, 2, "ping")
        await asyncio.wait_for(link.ended(), 5)
    assert far.left == []


async def test_a_stream_whose_rest_is_refused_is_lost():
    """Rather than waited for."""
    far = FarServer()

    async def paused(message, headers):
        return far._stream(b"id: 8\ndata: \n\n", b"retry: 1\n\n")

    far._pause = paused
    async with linked(far) as (link, ear):
        await asked(link, ear, 1, "initialize")
        await asked(link, ear, 2, "tools/call", name="pause")
        assert ear.gone[0][0] == 2


@pytest.mark.parametrize("session", ["", "a b", "x" * 2000])
async def test_a_session_id_that_is_none_ends_the_beginning(session):
    """Spaces, lengths; none at all is a server without sessions."""
    far = FarServer()

    async def odd(message, headers):
        return far._json({"jsonrpc": "2.0", "id": message["id"], "result": {}}, ("mcp-session-id", session))

    far._asked = odd
    async with linked(far) as (link, ear):
        await asked(link, ear, 1, "initialize")
        assert bool(ear.gone) == bool(session)


async def test_what_is_told_and_not_taken_is_an_error():
    """A notification or an answer that the server refuses."""
    far = FarServer(challenge="x")
    async with linked(far) as (link, _):
        with pytest.raises(UpstreamFailed, match="401"):
            await link.send(Answer(1, result={}))

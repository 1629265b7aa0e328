"""A conversation: what is judged is done, what is late, lost or abandoned is answered or told."""

import asyncio

from tests.mcp.standing import call, ready, server_at
from tests.mcp.test_running import Kept

from bartizan.core.errors import UpstreamFailed
from bartizan.mcp.conversation import Conversation
from bartizan.mcp.messages import Answer, Notification, Request, written
from bartizan.mcp.session import Session

PING = Request(1, "ping", {})


class Ends:
    """A link and a client that keep what they are given; the link may fail."""

    tells = True

    def __init__(self, fails=False):
        self.sent, self.delivered, self.fails = [], [], fails
        self.paused = []

    async def open(self, ear):
        self.ear = ear

    async def send(self, message):
        if self.fails:
            raise UpstreamFailed("the server is gone")
        self.sent.append(message)

    async def close(self):
        return 0

    async def deliver(self, message, via):
        self.delivered.append((message, via))

    def streams(self, id_):
        self.paused.append(id_)

    def hangs_up(self, id_, retry_ms):
        self.paused.append((id_, retry_ms))


async def talking(folder, fails=False, **settings):
    """Return a conversation and its ends."""
    ends = Ends(fails)
    talk = Conversation(Session(server_at(folder, **settings)), Kept(), ends, ends)
    await talk.open()
    return talk, ends


async def test_an_answer_comes_to_the_client_with_its_way(tmp_path):
    """`via` says in whose answer it came; what is no message is dropped and recorded."""
    talk, ends = await talking(tmp_path)
    await talk.client_says(PING, 10)
    assert talk.waiting(1)
    await ends.ear.server_sends(b"noise")
    await ends.ear.server_sends(written(Answer(1, result={})), 1)
    assert ends.delivered == [(Answer(1, result={}), 1)]
    assert not talk.waiting(1)
    ends.ear.streams(1)
    ends.ear.hangs_up(1, 5)
    assert ends.paused == [1, (1, 5)]
    assert await talk.close() == 0


async def test_what_cannot_be_sent_is_answered(tmp_path):
    """Nobody waits for what was never asked."""
    talk, ends = await talking(tmp_path, fails=True)
    await talk.client_says(PING, 10)
    assert "is gone" in ends.delivered[0][0].error["message"]
    assert not talk.waiting(1)


async def test_late_lost_and_abandoned_requests(tmp_path):
    """The client is told of the first two; the server of the first and the last."""
    talk, ends = await talking(tmp_path, call_timeout_s=0.01)
    await talk.client_says(PING, 10)
    while not ends.delivered:
        await asyncio.sleep(0.01)
    assert "did not answer" in ends.delivered[0][0].error["message"]
    assert isinstance(ends.sent[-1], Notification)
    talk, ends = await talking(tmp_path)
    await talk.client_says(PING, 10)
    await talk.server_gone("it ended")
    assert ends.delivered[0][0].error["message"] == "it ended"
    await talk.client_says(PING, 10)
    await talk.abandon(1)
    assert ends.sent[-1].params["requestId"] == 1
    assert len(ends.delivered) == 1


async def test_an_endless_answer_is_never_late(tmp_path):
    """A subscription lasts for as long as the client listens."""
    talk, ends = await talking(tmp_path, call_timeout_s=0.001)
    await talk.client_says(Request(1, "subscriptions/listen", {}), 10)
    await asyncio.sleep(0.02)
    assert ends.delivered == []
    assert talk.waiting(1)


async def test_a_key_without_a_tool_is_refused_it(tmp_path):
    """Before anything else is asked about the call, and recorded."""
    server = server_at(tmp_path)
    talk = ready(server, granted=lambda *names: "demo__add" in names)
    assert call(talk, "add", a=1)[0].body["reason"] == "pinned"
    assert call(talk, "read_file", 2, path="x")[0].body["reason"] == "not-granted"

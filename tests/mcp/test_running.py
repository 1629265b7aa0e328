"""Running: in order, records first; no ledger, no execution; a slow judgement is a refusal."""

import time

from tests.mcp.standing import call, ready, server_at, to_client

from bartizan.core.errors import BadEvidence
from bartizan.mcp.messages import Notification, Request
from bartizan.mcp.running import INLINE_BYTES, carry_out, judged


class Kept:
    """A recording that keeps what is done in order, or fails."""

    def __init__(self, fails=False):
        self.done, self.fails = [], fails

    async def record(self, kind, body):
        if self.fails:
            raise BadEvidence("disk full")
        self.done.append(kind)

    def enqueue(self, kind, body):
        self.done.append(kind)

    async def to_client(self, message):
        self.done.append(("client", message))

    async def to_server(self, message):
        self.done.append(("server", message.method))


async def test_the_record_is_there_before_the_call(tmp_path):
    """In the order of the acts."""
    talk, kept = ready(server_at(tmp_path)), Kept()
    await carry_out(talk, call(talk, "add", a=1, b=2), kept, kept.to_client, kept.to_server)
    assert kept.done == ["mcp-call", ("server", "tools/call")]


async def test_without_a_ledger_nothing_is_executed(tmp_path):
    """The client is told, and nothing waits for an answer any more."""
    talk, kept = ready(server_at(tmp_path)), Kept(fails=True)
    await carry_out(talk, call(talk, "add", a=1, b=2), kept, kept.to_client, kept.to_server)
    ((side, message),) = kept.done
    assert side == "client"
    assert "ledger" in message.error["message"]
    assert talk.waiting() == []


async def test_a_judgement_that_takes_too_long_refuses(tmp_path):
    """Long messages are judged in a thread under a deadline, short ones at once."""
    talk = ready(server_at(tmp_path))
    acts = await judged(talk, lambda _: time.sleep(0.3) or [], Request(1, "ping", {}), INLINE_BYTES + 1, 0.01)
    assert "too long" in to_client(acts).error["message"]
    assert await judged(talk, talk.client_says, Notification("notifications/initialized", {}), 10)

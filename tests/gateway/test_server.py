"""Listening, counting connections, and stopping without cutting anybody off."""

import asyncio
import os
import signal
import subprocess
import sys
import time

import httpx
import pytest
from tests.gateway.conftest import chat
from tests.gateway.test_inbound import raw

from bartizan.core.errors import BadSettings
from bartizan.gateway import server
from bartizan.gateway.requests import Bounds
from bartizan.gateway.testing import StubUpstream

HEALTH = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"


async def opened(url):
    return await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        (Bounds(connections=2), b"The gateway has as many"),
        (Bounds(connections_per_client=2), b"This client has as many"),
    ],
)
async def test_connections_are_bounded(world, bounds, said):
    """In all and for each client: the third is told so and closed, and there is room again when one leaves."""
    async with world.server(bounds) as url:
        pairs = [await opened(url) for _ in range(2)]
        for reader, writer in pairs:
            writer.write(HEALTH)
            assert (await reader.read(15)).startswith(b"HTTP/1.1 200")
        refused = await raw(url, b"")
        assert refused.startswith(b"HTTP/1.1 503")
        assert said in refused
        pairs[0][1].close()
        await asyncio.sleep(0.05)
        assert (await raw(url, HEALTH, wait=0.3)).startswith(b"HTTP/1.1 200")
        pairs[1][1].close()


async def test_a_drain_lets_a_stream_finish_and_closes_who_waits(world):
    """Nothing is cut off within the time; nothing new is taken."""
    world.upstream = Slow([b"data: 1 \n\n", b"data: 2 \n\n", b"data: [DONE]\n\n"], content_type=b"text/event-stream")
    async with httpx.AsyncClient() as client:
        async with world.server() as url:
            idle = await opened(url)
            streaming = asyncio.create_task(client.post(url + "/v1/chat/completions", content=chat(stream=True)))
            await asyncio.sleep(0.05)
        answer = await streaming
        assert await idle[0].read() == b""
        idle[1].close()
        assert answer.content.endswith(b"data: [DONE]\n\n")
        with pytest.raises(httpx.ConnectError):
            await client.get(url + "/healthz")


class Slow(StubUpstream):
    """Answers after a moment."""

    async def send(self, *request):
        await asyncio.sleep(0.2)
        return await super().send(*request)


async def test_a_drain_ends_when_its_time_is_over(world):
    """What still runs then is given up, and recorded."""
    world.upstream = StubUpstream([b"data: x \n\n"] * 10_000_000, content_type=b"text/event-stream")
    body = chat(stream=True)
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body)
    async with world.server() as url:
        reader, writer = await opened(url)
        writer.write(head + body)
        assert (await reader.read(15)).startswith(b"HTTP/1.1 200")
    writer.close()
    assert world.records[-1][1]["outcome"] == "aborted"


PROGRAM = """
import contextlib, sys
from bartizan.gateway import server
from bartizan.gateway.app import GatewayApp
from bartizan.gateway.auth import Anyone

@contextlib.asynccontextmanager
async def gate():
    yield None

listening = server.listen("127.0.0.1", 0)
server.run(GatewayApp(gate), listening, lambda: print(listening.getsockname()[1], flush=True), drain_s=5)
print("stopped", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_politely(number):
    """Exit code 0, at once when nobody is served."""
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, env=os.environ)
    assert int(process.stdout.readline())
    began = time.monotonic()
    process.send_signal(number)
    out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, b"stopped\n")
    assert time.monotonic() - began < 5


def test_a_taken_port_is_a_clear_error():
    """The address and the reason."""
    first = server.listen("127.0.0.1", 0)
    with pytest.raises(BadSettings, match="cannot listen on"):
        server.listen("127.0.0.1", first.getsockname()[1])
    first.close()


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
def test_an_address_is_written_as_in_a_url(host, shown):
    """Version 6 stands in brackets."""
    try:
        listening = server.listen(host, 0)
    except BadSettings:
        pytest.skip(f"this machine has no {host}")
    assert server.address(listening) == f"{shown}:{listening.getsockname()[1]}"
    listening.close()

"""What gateway tests share: a gate on doubles, a client for it, and a real server on a free port."""

import asyncio
import contextlib
import json

import httpx
import pytest
import uvicorn

from bartizan.core.clock import SystemClock
from bartizan.core.sections.output import Output
from bartizan.gateway.app import GatewayApp
from bartizan.gateway.auth import Anyone
from bartizan.gateway.evidence import Recorder
from bartizan.gateway.exchange import Gate
from bartizan.gateway.output.policy import OutputPolicy
from bartizan.gateway.screening import GuardedScreen
from bartizan.gateway.server import BoundedProtocol, listen
from bartizan.gateway.testing import MemoryLog, StubUpstream, WordScreen


class World:
    """A gateway in memory: change its parts before `open`, look at them after."""

    def __init__(self):
        self.auth = Anyone()
        self.upstream = StubUpstream()
        self.outputs = OutputPolicy(Output())
        self.log = MemoryLog()
        self.mode = "enforce"
        self.screen = WordScreen()
        self.options = {}
        self.body_bytes = 1_000_000
        self.clock = SystemClock()

    @contextlib.asynccontextmanager
    async def gate(self):
        recorder = Recorder(self.log, self.clock, 0.05)
        guarded = GuardedScreen(self.screen, self.mode, self.clock)
        try:
            yield Gate(self.auth, guarded, self.outputs, self.upstream, recorder, self.clock, **self.options)
        finally:
            await recorder.close()

    def app(self):
        return GatewayApp(self.gate, body_bytes=self.body_bytes)

    @contextlib.asynccontextmanager
    async def client(self):
        """An HTTP client that speaks to the application in this process."""
        app = self.app()
        async with (
            lifespan(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gate") as client,
        ):
            yield client

    @contextlib.asynccontextmanager
    async def server(self):
        """The base URL of the application behind a real socket."""
        listening = listen("127.0.0.1", 0)
        config = uvicorn.Config(
            self.app(), http=BoundedProtocol, ws="none", log_config=None, access_log=False, lifespan="on"
        )
        server = uvicorn.Server(config)
        server.capture_signals = contextlib.nullcontext
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            await asyncio.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving

    @property
    def records(self):
        """What was written, without the noise of times."""
        return [(kind, dict(body)) for kind, body in self.log.records]


@contextlib.asynccontextmanager
async def lifespan(app):
    """Start and stop an ASGI application as a server does."""
    to_app, from_app = asyncio.Queue(), asyncio.Queue()
    await to_app.put({"type": "lifespan.startup"})
    running = asyncio.create_task(app({"type": "lifespan"}, to_app.get, from_app.put))
    started = await from_app.get()
    assert started["type"] == "lifespan.startup.complete", started
    try:
        yield
    finally:
        await to_app.put({"type": "lifespan.shutdown"})
        await running


@pytest.fixture
def world():
    """A gateway in memory."""
    return World()


def chat(text="hello", **more):
    """The body of a small chat request."""
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": text}], **more}).encode()

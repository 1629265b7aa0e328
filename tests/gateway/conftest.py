"""What gateway tests share: a gate on doubles, a client for it, and a real server on a free port."""

import contextlib
import json

import httpx
import pytest

from bartizan.core.clock import SystemClock
from bartizan.core.sections.output import Output
from bartizan.gateway.app import GatewayApp
from bartizan.gateway.auth import Anyone
from bartizan.gateway.call import Call
from bartizan.gateway.evidence import Recorder
from bartizan.gateway.gate import Gate
from bartizan.gateway.output.policy import OutputPolicy
from bartizan.gateway.screening import GuardedScreen
from bartizan.gateway.server import listen, serving
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
            if "predictive" in self.options:
                await self.options["predictive"].close()

    def app(self):
        return GatewayApp(self.gate, body_bytes=self.body_bytes)

    @contextlib.asynccontextmanager
    async def client(self):
        """An HTTP client that speaks to the application in this process, without a socket."""
        app = self.app()
        async with app.running(), httpx.AsyncClient(transport=InProcess(app), base_url="http://gate") as client:
            yield client

    @contextlib.asynccontextmanager
    async def server(self, bounds=None):
        """The base URL of the application behind a real socket."""
        listening = listen("127.0.0.1", 0)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with serving(self.app(), listening, bounds=bounds, drain_s=1.0):
            yield url

    @property
    def records(self):
        """What was written, without the noise of times."""
        return [(kind, dict(body)) for kind, body in self.log.records]


class InProcess(httpx.AsyncBaseTransport):
    """Hands requests to an application without a socket between."""

    def __init__(self, app):
        self.app = app

    async def handle_async_request(self, request):
        headers = [(name.lower(), value) for name, value in request.headers.raw]
        target = request.url.raw_path.decode()
        answer = await self.app.answer(Call(request.method, target, headers, await request.aread(), "127.0.0.1"))
        stream = httpx.ByteStream(answer.body) if answer.pieces is None else Streaming(answer.pieces)
        return httpx.Response(answer.status, headers=answer.headers, stream=stream)


class Streaming(httpx.AsyncByteStream):
    """The pieces of a stream."""

    def __init__(self, pieces):
        self.pieces = pieces

    async def __aiter__(self):
        async for piece in self.pieces:
            yield piece

    async def aclose(self):
        await self.pieces.close()


@pytest.fixture
def world():
    """A gateway in memory."""
    return World()


def chat(text="hello", **more):
    """The body of a small chat request."""
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": text}], **more}).encode()

"""The endpoint as an application of our server: opened with the ledger, answering while both are open."""

import contextlib
from collections.abc import AsyncIterator, Callable

from bartizan.core.clock import Clock
from bartizan.core.sections import Settings
from bartizan.gateway.auth import Headers
from bartizan.gateway.call import Answer, Call
from bartizan.gateway.evidence import Log, Recorder
from bartizan.mcp.http.assembly import Endpoint
from bartizan.mcp.http.door import Door, said_no


class McpApp:
    """The application. Without a ledger nothing is served."""

    def __init__(self, settings: Settings, open_log: Callable[[], Log], clock: Clock) -> None:
        """Check the settings now; open everything when the server starts. Raises BadSettings."""
        self.body_bytes = settings.mcp.message_bytes
        self.endpoint = Endpoint(settings, clock)
        self._open_log = open_log
        self._every_s = settings.ledger.checkpoint_every_s
        self._clock = clock
        self._door: Door | None = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Be ready to answer for as long as the block lasts. Raises what keeps it from opening."""
        recorder = Recorder(self._open_log(), self._clock, self._every_s)
        try:
            async with self.endpoint.opened(recorder) as self._door:
                yield
        finally:
            self._door = None
            await recorder.close()

    async def leave(self) -> None:
        """End every session, and with it every stream."""
        if self._door is not None:
            await self._door.leave()

    async def answer(self, call: Call) -> Answer:
        """Return the answer to one request."""
        if self._door is None:
            return said_no(503, "the proxy is starting or stopping")
        return await self._door.answer(call)

    def admits(self, headers: Headers) -> str:
        """Return nothing: the door asks for keys itself, and says where there are some."""
        return ""

    def refusal(self, path: str, status: int, code: str, message: str) -> Answer:
        """Return an error for a request that could not be read."""
        return said_no(status, message)

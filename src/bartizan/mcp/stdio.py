"""A client over standard input and output: one message a line, answered on the other stream.

When either side ends, the other is ended: what was asked before the client ended is still answered, and a client is
told of what a server left unanswered.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import BinaryIO

from bartizan.mcp.conversation import Conversation
from bartizan.mcp.limits import CallLimits
from bartizan.mcp.links import Link
from bartizan.mcp.messages import Id, Malformed, Message, read, refusal, written
from bartizan.mcp.running import Recording
from bartizan.mcp.session import Session

Lines = Callable[[], Awaitable[bytes]]
"""Returns the next line, nothing at the end."""
Write = Callable[[bytes], Awaitable[None]]


class StdioProxy:
    """One client, one server."""

    def __init__(
        self,
        session: Session,
        recording: Recording,
        link: Link,
        read_line: Lines,
        write: Write,
        limits: CallLimits | None = None,
    ) -> None:
        """Talk to the client with `read_line` and `write`, to the server over `link`; count calls against `limits`."""
        self._session = session
        self._link = link
        self._read_line = read_line
        self._write = write
        self._conversation = Conversation(session, recording, link, self, limits)

    async def run(self) -> int:
        """Serve until one side ends; return the server's exit code, 0 when the client ended first."""
        talk = self._conversation
        await talk.open()
        client = asyncio.create_task(self._from_client())
        server = asyncio.create_task(self._link.ended())
        try:
            await asyncio.wait((client, server), return_when=asyncio.FIRST_COMPLETED)
            ended = server.done()
            if not ended:
                await self._link.finish()
            code = await talk.close()
            if ended:
                await talk.server_gone(f"{self._session.server.name} ended before it answered")
            for task in (server, client):
                if task.done():
                    task.result()  # what broke it is raised
            return code if ended else 0
        finally:
            for task in (client, server):
                task.cancel()
            await talk.close()

    async def deliver(self, message: Message, via: Id | None) -> None:
        """Write one line to the client."""
        await self._write(written(message) + b"\n")

    def streams(self, id_: Id) -> None:
        """Do nothing: here all comes on one stream."""

    def hangs_up(self, id_: Id, retry_ms: int) -> None:
        """Do nothing: this stream stays."""

    async def _from_client(self) -> None:
        while line := await self._read_line():
            if not line.strip():
                continue
            try:
                message = read(line, self._session.server.settings.message_bytes)
            except Malformed as error:
                await self._conversation.bad_message("client", str(error))
                await self.deliver(refusal(error.id, error.code, f"refused: {error}"), None)
                continue
            await self._conversation.client_says(message, len(line))


def lines_of(stream: BinaryIO, most_bytes: int) -> Lines:
    """Return a reader of lines off a blocking stream, which a thread of its own reads. Made on the event loop.

    A line longer than `most_bytes` ends the conversation: what follows in it would be read as a message of its own.
    """
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[bytes] = asyncio.Queue()

    def pump() -> None:
        while True:
            line = stream.readline(most_bytes + 1)
            whole = line if len(line) <= most_bytes else b""
            try:
                loop.call_soon_threadsafe(waiting.put_nowait, whole)
            except RuntimeError:  # the loop is closed: nobody listens any more
                return
            if not whole:
                return

    threading.Thread(target=pump, name="client-input", daemon=True).start()
    return waiting.get


def writer_of(stream: BinaryIO) -> Write:
    """Return a writer to a blocking stream."""

    async def write(data: bytes) -> None:
        stream.write(data)
        stream.flush()

    return write

"""The proxy over standard input and output: starts the server as a child and stands between it and the client.

One message a line. The child gets its own pipes and none of ours; what it writes to standard error is shown with
everything invisible spelled out. When either side ends, the other is ended: input closed, then SIGTERM, then SIGKILL,
each after a while (MCP, "Shutdown"). A line of the server that is no message is dropped, because servers print.
"""

import asyncio
import contextlib
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import BinaryIO

from bartizan.core.display import visible
from bartizan.core.errors import UpstreamFailed
from bartizan.mcp.messages import INTERNAL_ERROR, Answer, Id, Malformed, Message, Note, Request, read, refusal, written
from bartizan.mcp.running import Recording, carry_out, judged
from bartizan.mcp.session import Session

_GRACE_S = 3.0
_STDERR_LINE = 65536

Lines = Callable[[], Awaitable[bytes]]
"""Returns the next line, nothing at the end."""
Write = Callable[[bytes], Awaitable[None]]


class StdioProxy:
    """One client, one child."""

    def __init__(self, session: Session, recording: Recording, read_line: Lines, write: Write) -> None:
        """Talk to the client with `read_line` and `write`."""
        self._session = session
        self._recording = recording
        self._read_line = read_line
        self._write = write
        self._settings = session.server.settings
        self._turn = asyncio.Lock()
        self._timers: dict[Id, asyncio.TimerHandle] = {}
        self._late: set[asyncio.Task[None]] = set()
        self._child: asyncio.subprocess.Process | None = None

    async def run(self, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """Serve until one side ends; return the child's exit code, 0 when the client ended first."""
        try:
            self._child = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=dict(environment),
                limit=self._settings.message_bytes,
                start_new_session=True,  # a Ctrl-C for the client is ours to pass on, in order
            )
        except OSError as error:
            raise UpstreamFailed(f"{command[0]}: cannot be started: {error.strerror or error}") from error
        client = asyncio.create_task(self._from_client())
        server = asyncio.create_task(self._from_server())
        noise = asyncio.create_task(self._from_stderr())
        try:
            await asyncio.wait((client, server), return_when=asyncio.FIRST_COMPLETED)
            ended = server.done()
            if not ended and self._child.stdin is not None:
                self._child.stdin.close()
                await asyncio.wait((server,), timeout=_GRACE_S)  # what was asked before the end is still answered
            code = await self._end(self._child)
            if ended:
                await self._give_up()
            for task in (server, client):
                if task.done():
                    task.result()  # what broke it is raised
            return code if ended else 0
        finally:
            for handle in self._timers.values():
                handle.cancel()
            for task in (client, server, noise, *self._late):
                task.cancel()
            await self._end(self._child)

    async def _from_client(self) -> None:
        while line := await self._read_line():
            if not line.strip():
                continue
            try:
                message = read(line, self._settings.message_bytes)
            except Malformed as error:
                await self._bad_line("client", str(error))
                await self._to_client(refusal(error.id, error.code, f"refused: {error}"))
                continue
            async with self._turn:
                acts = await judged(self._session, self._session.client_says, message, len(line))
                await carry_out(self._session, acts, self._recording, self._to_client, self._to_server)

    async def _from_server(self) -> None:
        child = self._child
        assert child is not None  # noqa: S101 - it was started before this began
        assert child.stdout is not None  # noqa: S101 - as asked for
        while True:
            try:
                line = await child.stdout.readline()
            except ValueError:
                await self._bad_line("server", f"a line of more than {self._settings.message_bytes} bytes")
                return
            if not line:
                return
            if not line.strip():
                continue
            try:
                message = read(line, self._settings.message_bytes)
            except Malformed as error:
                await self._bad_line("server", str(error))
                continue
            async with self._turn:
                acts = await judged(self._session, self._session.server_says, message, len(line))
                await carry_out(self._session, acts, self._recording, self._to_client, self._to_server)

    async def _from_stderr(self) -> None:
        child = self._child
        if child is None or child.stderr is None:
            return
        while piece := await child.stderr.read(_STDERR_LINE):
            sys.stderr.write(visible(piece.decode("utf-8", "replace").replace("\r\n", "\n")))
            sys.stderr.flush()

    async def _bad_line(self, side: str, why: str) -> None:
        body = {"server": self._session.server.name, "from": side, "what": "line", "why": why}
        await carry_out(self._session, [Note("mcp-refused", body)], self._recording, self._to_client, self._to_server)

    async def _to_client(self, message: Message) -> None:
        if isinstance(message, Answer) and message.id is not None and (timer := self._timers.pop(message.id, None)):
            timer.cancel()
        await self._write(written(message) + b"\n")

    async def _to_server(self, message: Message) -> None:
        child = self._child
        if child is None or child.stdin is None:
            return
        if isinstance(message, Request):
            loop = asyncio.get_running_loop()
            self._timers[message.id] = loop.call_later(self._settings.call_timeout_s, self._is_late, message.id)
        with contextlib.suppress(ConnectionError):  # its end shows on its output
            child.stdin.write(written(message) + b"\n")
            await child.stdin.drain()

    def _is_late(self, id_: Id) -> None:
        async def give_up() -> None:
            async with self._turn:
                acts = self._session.late(id_)
                await carry_out(self._session, acts, self._recording, self._to_client, self._to_server)

        self._timers.pop(id_, None)
        task = asyncio.create_task(give_up())
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _give_up(self) -> None:
        """Answer what the server left unanswered."""
        for id_ in self._session.waiting():
            await self._to_client(refusal(id_, INTERNAL_ERROR, f"{self._session.server.name} ended before it answered"))

    async def _end(self, child: asyncio.subprocess.Process) -> int:
        if child.stdin is not None and not child.stdin.is_closing():
            child.stdin.close()
        for stop in (None, child.terminate, child.kill):
            with contextlib.suppress(ProcessLookupError):
                if child.returncode is None and stop is not None:
                    stop()
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(child.wait(), _GRACE_S)
        return child.returncode or 0


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

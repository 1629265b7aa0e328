"""A server as a child between pipes: one message a line.

The child gets its own pipes and none of ours; what it writes to standard error is shown with everything invisible
spelled out. It is ended as MCP says ("Shutdown"): its input closed, then SIGTERM, then SIGKILL, each after a while. A
line longer than any message ends it: what follows in it would be read as a message of its own.
"""

import asyncio
import contextlib
import sys
from collections.abc import Mapping, Sequence

from bartizan.core.display import visible
from bartizan.core.errors import UpstreamFailed
from bartizan.mcp.links import Ear
from bartizan.mcp.messages import Message, written

_GRACE_S = 3.0
_STDERR_PIECE = 65536


class Child:
    """One child process."""

    tells = False

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], message_bytes: int) -> None:
        """Prepare to start `command`."""
        self._command = tuple(command)
        self._environment = dict(environment)
        self._message_bytes = message_bytes
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._noise: asyncio.Task[None] | None = None

    async def open(self, ear: Ear) -> None:
        """Start it. Raises UpstreamFailed."""
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self._environment,
                limit=self._message_bytes,
                start_new_session=True,  # a Ctrl-C for the client is ours to pass on, in order
            )
        except OSError as error:
            raise UpstreamFailed(f"{self._command[0]}: cannot be started: {error.strerror or error}") from error
        self._reading = asyncio.create_task(self._read(self._process, ear))
        self._noise = asyncio.create_task(self._show(self._process))

    async def send(self, message: Message) -> None:
        """Write one line. A child that is gone shows on its output."""
        if self._process is None or self._process.stdin is None or self._process.stdin.is_closing():
            return
        with contextlib.suppress(ConnectionError):
            self._process.stdin.write(written(message) + b"\n")
            await self._process.stdin.drain()

    async def ended(self) -> int:
        """Return when it says nothing more: its exit code, as far as it has one."""
        if self._reading is not None:
            await asyncio.shield(self._reading)
        return (self._process.returncode if self._process else None) or 0

    async def finish(self) -> None:
        """Close its input, and let it answer what it was asked."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        if self._reading is not None:
            await asyncio.wait((self._reading,), timeout=_GRACE_S)

    async def close(self) -> int:
        """End it; return its exit code."""
        code = await self._end()
        for task in (self._reading, self._noise):
            if task is not None:
                task.cancel()
        return code

    async def _end(self) -> int:
        child = self._process
        if child is None:
            return 0
        if child.stdin is not None and not child.stdin.is_closing():
            child.stdin.close()
        for stop in (None, child.terminate, child.kill):
            with contextlib.suppress(ProcessLookupError):
                if child.returncode is None and stop is not None:
                    stop()
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(child.wait(), _GRACE_S)
        return child.returncode or 0

    async def _read(self, child: asyncio.subprocess.Process, ear: Ear) -> None:
        assert child.stdout is not None  # noqa: S101 - as asked for
        while True:
            try:
                line = await child.stdout.readline()
            except ValueError:
                await ear.bad_message("server", f"a line of more than {self._message_bytes} bytes")
                return
            if not line:
                return
            if line.strip():
                await ear.server_sends(line)

    async def _show(self, child: asyncio.subprocess.Process) -> None:
        assert child.stderr is not None  # noqa: S101 - as asked for
        while piece := await child.stderr.read(_STDERR_PIECE):
            sys.stderr.write(visible(piece.decode("utf-8", "replace").replace("\r\n", "\n")))
            sys.stderr.flush()

"""The way to a server over Streamable HTTP, for one conversation: each message a POST, each answer JSON or events.

Promises: the server's session id stays here; an answer counts only for the request in whose answer it came; a stream
that breaks is asked for its rest; silence and errors become answers. Redirects are not followed.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

from bartizan.core.errors import BadRequest, UpstreamFailed
from bartizan.gateway.sse import Event, EventSplitter
from bartizan.gateway.upstream import PooledAnswer
from bartizan.mcp.http.far import Far, Schema, stateless_version
from bartizan.mcp.links import Ear
from bartizan.mcp.messages import Answer, Id, Message, Notification, Request, read, written

_SESSION_ID = re.compile(r"[\x21-\x7e]{1,1024}")
_TELL_S = 30.0
_LEAVE_S = 3.0
_MOST_TRIES = 8
_LONGEST_RETRY_MS = 60000
_LONGEST_EVENT_ID = 1024
_NO_STREAM = frozenset((400, 404, 405, 406, 501))


@dataclass(slots=True)
class _Seen:
    """How far a stream was heard: the last event's id, when to ask again, attempts that brought nothing."""

    last: str = ""
    retry_ms: int | None = None
    tries: int = 0

    def note(self, event: Event) -> None:
        """Take note of one more event."""
        if 0 < len(event.id) <= _LONGEST_EVENT_ID:
            self.last = event.id.decode("latin-1")
        if event.retry_ms is not None:
            self.retry_ms = min(event.retry_ms, _LONGEST_RETRY_MS)
        if event.data:
            self.tries = 0


class HttpLink:
    """One conversation's way to one server."""

    tells = True

    def __init__(self, far: Far, schema: Schema, message_bytes: int) -> None:
        """Reach the server through `far`; nothing is sent before the first message."""
        self._far = far
        self._schema = schema
        self._message_bytes = message_bytes
        self._ear: Ear | None = None
        self._session = ""
        self._tasks: dict[Id, asyncio.Task[None]] = {}
        self._standing: asyncio.Task[None] | None = None
        self._over = asyncio.Event()

    async def open(self, ear: Ear) -> None:
        """Tell `ear` what the server says."""
        self._ear = ear

    async def send(self, message: Message) -> None:
        """Send one message; a request's answer is told to the ear when it comes. Raises UpstreamFailed."""
        match message:
            case Request(id_):
                task = asyncio.create_task(self._ask(message))
                self._tasks[id_] = task
                task.add_done_callback(lambda done: self._tasks.pop(id_) if self._tasks.get(id_) is done else None)
            case Notification("notifications/cancelled", params) if not self._session:
                self._hang_up(params.get("requestId"))  # closing the stream is how one cancels without a session
            case _:
                await self._tell(message)

    async def ended(self) -> int:
        """Return when the server has ended the session."""
        await self._over.wait()
        return 0

    async def finish(self) -> None:
        """Wait a while for answers."""
        if self._tasks:
            await asyncio.wait(tuple(self._tasks.values()), timeout=_LEAVE_S)

    async def close(self) -> int:
        """Give up what is still asked, and end the session."""
        tasks = [*self._tasks.values(), *([self._standing] if self._standing else [])]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        if self._session and not self._over.is_set():
            about, self._session = self._about(), ""
            with contextlib.suppress(UpstreamFailed, TimeoutError):
                await asyncio.wait_for(self._far.leave(about), _LEAVE_S)
        self._over.set()
        return 0

    # asking

    async def _ask(self, asked: Request) -> None:
        ear, seen = self._listener(), _Seen()
        try:
            answering = await self._far.post(asked, self._about(asked), self._schema)
            while True:
                try:
                    await self._answered(asked, answering, seen)
                finally:
                    answering.release()
                if not ear.waiting(asked.id) or not self._may_ask_for_the_rest(asked, seen):
                    break
                answering = await self._rest(asked, seen)
            if ear.waiting(asked.id):
                await ear.lost(asked.id, f"{self._far.name} ended its answer without answering")
        except (UpstreamFailed, BadRequest) as error:
            await ear.lost(asked.id, str(error))

    async def _answered(self, asked: Request, answering: PooledAnswer, seen: "_Seen") -> None:
        kind = _header(answering, b"content-type").partition(";")[0].strip().lower()
        if asked.method == "initialize" and 200 <= answering.status < 300:
            self._session = self._session_of(answering)
        if answering.status == 404 and self._session:
            self._over.set()
        if kind == "text/event-stream" and answering.status == 200:
            self._listener().streams(asked.id)
            await self._follow(asked, answering, seen)
        elif kind == "application/json":
            await self._whole(asked, answering)
        else:
            raise UpstreamFailed(f"{self._far.name} answered HTTP {answering.status} and no message")

    async def _whole(self, asked: Request, answering: PooledAnswer) -> None:
        body = b""
        while piece := await answering.read():
            body += piece
            if len(body) > self._message_bytes:
                raise UpstreamFailed(f"{self._far.name}: a message of more than {self._message_bytes} bytes")
        message = read(body, self._message_bytes)
        if not isinstance(message, Answer):
            raise UpstreamFailed(f"{self._far.name} answered HTTP {answering.status} and no answer")
        if message.error is not None and message.id is None:
            message = Answer(asked.id, error=message.error)  # it could not read which request this is
        elif message.error is None and answering.status >= 400:
            raise UpstreamFailed(f"{self._far.name} answered HTTP {answering.status} and a result")
        await self._listener().server_sends(written(message), asked.id)

    async def _follow(self, asked: Request, answering: PooledAnswer, seen: "_Seen") -> None:
        """Hand on the events of an answer until the last."""
        ear = self._listener()
        async for event in _events(answering, broken_is_end=bool(self._session)):
            seen.note(event)
            if event.data:
                await ear.server_sends(event.data, asked.id)
                if not ear.waiting(asked.id):
                    return

    def _may_ask_for_the_rest(self, asked: Request, seen: "_Seen") -> bool:
        return bool(seen.last and self._session and not stateless_version(asked) and seen.tries < _MOST_TRIES)

    async def _rest(self, asked: Request, seen: "_Seen") -> PooledAnswer:
        """Wait as the server wishes, and ask for the rest of a stream that it paused or that broke."""
        seen.tries += 1
        if seen.retry_ms is not None:
            self._listener().hangs_up(asked.id, seen.retry_ms)
        await asyncio.sleep((seen.retry_ms if seen.retry_ms is not None else 500 * seen.tries) / 1000)
        return await self._far.listen([*self._about(), ("last-event-id", seen.last)])

    # telling

    async def _tell(self, message: Message) -> None:
        try:
            answering = await asyncio.wait_for(self._far.post(message, self._about(message), self._schema), _TELL_S)
        except TimeoutError:
            raise UpstreamFailed(f"{self._far.name} did not take a message within {_TELL_S:g} s") from None
        answering.release()
        if answering.status == 404 and self._session:
            self._over.set()
        if answering.status >= 400:
            raise UpstreamFailed(f"{self._far.name} answered HTTP {answering.status} to a message")
        if isinstance(message, Notification) and message.method == "notifications/initialized" and self._session:
            self._standing = asyncio.create_task(self._stand())

    async def _stand(self) -> None:
        """Hear what the server says of its own accord, for as long as the session lasts."""
        ear, seen = self._listener(), _Seen()
        while not self._over.is_set():
            after = [("last-event-id", seen.last)] if seen.last else []
            with contextlib.suppress(UpstreamFailed):
                answering = await self._far.listen([*self._about(), *after])
                try:
                    if answering.status in _NO_STREAM:
                        return
                    if answering.status == 200:
                        async for event in _events(answering, broken_is_end=True):
                            seen.note(event)
                            if event.data:
                                await ear.server_sends(event.data)
                finally:
                    answering.release()
            seen.tries += 1
            await asyncio.sleep(min(2.0 ** min(seen.tries, 6), 60.0))

    # words

    def _about(self, message: Message | None = None) -> list[tuple[str, str]]:
        """Return the headers that say which session and version this is."""
        if isinstance(message, Request | Notification) and stateless_version(message):
            return []
        version = self._listener().version
        about = [("mcp-session-id", self._session)] if self._session else []
        return [*about, ("mcp-protocol-version", version)] if version else about

    def _session_of(self, answering: PooledAnswer) -> str:
        session = _header(answering, b"mcp-session-id")
        if session and not _SESSION_ID.fullmatch(session):
            raise UpstreamFailed(f"{self._far.name} gave a session id that is none")
        return session

    def _hang_up(self, id_: object) -> None:
        task = self._tasks.get(id_) if isinstance(id_, str | int) else None
        if task is not None:
            task.cancel()

    def _listener(self) -> Ear:
        assert self._ear is not None  # noqa: S101 - it was opened before anything was sent
        return self._ear


async def _events(answering: PooledAnswer, *, broken_is_end: bool) -> AsyncIterator[Event]:
    """Yield the events of an answer. A connection that breaks is its end where the rest can be asked for."""
    splitter = EventSplitter()
    try:
        while piece := await answering.read():
            for event in splitter.feed(piece):
                yield event
    except UpstreamFailed:
        if not broken_is_end:
            raise


def _header(answering: PooledAnswer, name: bytes) -> str:
    return b"".join(value for given, value in answering.headers if given == name).decode("latin-1")

"""A session at work: messages in from both ends, judged one after another, carried out, and given up when late.

Both kinds of client (standard input and output, HTTP) and both kinds of server (a child, an address) meet here, so what
is pinned, decided, screened and recorded is the same whichever way it travels.
"""

import asyncio
import functools

from bartizan.core.errors import UpstreamFailed
from bartizan.mcp.limits import CallLimits
from bartizan.mcp.links import Client, Link
from bartizan.mcp.messages import (
    INTERNAL_ERROR,
    Act,
    Id,
    Malformed,
    Message,
    Note,
    Notification,
    Request,
    read,
    refusal,
)
from bartizan.mcp.running import Recording, carry_out, judged
from bartizan.mcp.session import Session

_ENDLESS = frozenset(("subscriptions/listen",))
"""Requests whose answer comes when the client has heard enough."""


class Conversation:
    """One client, one server. Made and used on the event loop."""

    def __init__(
        self, session: Session, recording: Recording, link: Link, client: Client, limits: CallLimits | None = None
    ) -> None:
        """Stand between `client` and what `link` leads to. Calls of tools are counted against `limits`."""
        self._limits = limits
        self._session = session
        self._recording = recording
        self._link = link
        self._client = client
        self._settings = session.server.settings
        self._turn = asyncio.Lock()
        self._timers: dict[Id, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Connect to the server. Raises UpstreamFailed."""
        await self._link.open(self)

    async def close(self) -> int:
        """End it; return the server's exit code."""
        for handle in self._timers.values():
            handle.cancel()
        for task in tuple(self._tasks):
            task.cancel()
        if self._limits is not None:
            self._limits.close()
        return await self._link.close()

    # the client's end

    async def client_says(self, message: Message, size: int) -> None:
        """Judge a message of the client, `size` bytes long, and do what follows."""
        why = await self._counted(message)
        async with self._turn:
            if why and isinstance(message, Request):
                await self._do(self._session.over(message, why))
                return
            acts = await judged(self._session, self._session.client_says, message, size)
            await self._do(acts)

    async def _counted(self, message: Message) -> str:
        """Count a call of a tool, or the end of one; return why it may not happen now, or nothing."""
        if self._limits is None:
            return ""
        if isinstance(message, Request) and message.method == "tools/call" and not self.waiting(message.id):
            return await self._limits.begin(
                message.id, self._session.server.own_name(str(message.params.get("name", "")))
            )
        if isinstance(message, Notification) and message.method == "notifications/cancelled":
            self._over(message.params.get("requestId"))
        return ""

    def _over(self, id_: object) -> None:
        if self._limits is not None and isinstance(id_, str | int):
            self._limits.end(id_)

    async def abandon(self, id_: Id) -> None:
        """Give up a request whose client went away: the server is told."""
        self._over(id_)
        async with self._turn:
            self._stop_timer(id_)
            await self._do(self._session.abandoned(id_))

    async def bad_message(self, side: str, why: str) -> None:
        """Record something that was no message."""
        body = {"server": self._session.server.name, "from": side, "what": "message", "why": why}
        await self._do([Note("mcp-refused", body)])

    async def server_gone(self, why: str) -> None:
        """Answer whatever the server left unanswered."""
        for id_ in self._session.waiting():
            await self.lost(id_, why)

    # the server's end: what a link tells

    @property
    def version(self) -> str:
        """The protocol version that both sides agreed on, empty before they did."""
        return self._session.version

    def waiting(self, id_: Id) -> bool:
        """Return whether the client's request `id_` has no answer yet."""
        return id_ in self._timers or id_ in self._session.waiting()

    async def server_sends(self, raw: bytes, via: Id | None = None) -> None:
        """Judge a message of the server and do what follows. What is no message is dropped: servers print."""
        try:
            message = read(raw, self._settings.message_bytes)
        except Malformed as error:
            await self.bad_message("server", str(error))
            return
        async with self._turn:
            acts = await judged(self._session, self._session.server_says, message, len(raw))
            await self._do(acts, via)

    async def lost(self, id_: Id, why: str) -> None:
        """Tell the client that a request will get no answer."""
        async with self._turn:
            await self._do(self._session.lost(id_, why))

    def streams(self, id_: Id) -> None:
        """Hand on that an answer comes in pieces."""
        self._client.streams(id_)

    def hangs_up(self, id_: Id, retry_ms: int) -> None:
        """Hand on that the server pauses a stream."""
        self._client.hangs_up(id_, retry_ms)

    # doing

    async def _do(self, acts: list[Act], via: Id | None = None) -> None:
        to_client = functools.partial(self._to_client, via=via)
        await carry_out(self._session, acts, self._recording, to_client, self._to_server)

    async def _to_client(self, message: Message, via: Id | None = None) -> None:
        id_ = getattr(message, "id", None)
        if not isinstance(message, Request) and id_ is not None:
            self._stop_timer(id_)
            self._over(id_)
        await self._client.deliver(message, via)

    async def _to_server(self, message: Message) -> None:
        if isinstance(message, Request) and message.method not in _ENDLESS:
            loop = asyncio.get_running_loop()
            self._timers[message.id] = loop.call_later(self._settings.call_timeout_s, self._is_late, message.id)
        try:
            await self._link.send(message)
        except UpstreamFailed as error:
            if isinstance(message, Request):
                self._stop_timer(message.id)
                self._over(message.id)
                self._session.forget(message.id)
                await self._client.deliver(refusal(message.id, INTERNAL_ERROR, str(error)), None)

    def _stop_timer(self, id_: Id) -> None:
        if timer := self._timers.pop(id_, None):
            timer.cancel()

    def _is_late(self, id_: Id) -> None:
        async def give_up() -> None:
            async with self._turn:
                await self._do(self._session.late(id_))

        self._timers.pop(id_, None)
        task = asyncio.create_task(give_up())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

"""The conversations that are going on over HTTP: who owns each, how many there may be, when one is over.

A session's id is 256 random bits and opens it only to the caller who began it, at the server it was begun with; for
anybody else there is no such session. Each session has its own way to the server: its own child, or its own session
there. Requests that stand for themselves (2026-07-28) share one conversation per caller and server.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from bartizan.core.clock import Clock
from bartizan.core.sections.mcp import Mcp
from bartizan.gateway.auth import Caller
from bartizan.gateway.limits.limiter import Limiter
from bartizan.mcp.conversation import Conversation
from bartizan.mcp.http.heads import NotTaken
from bartizan.mcp.http.streams import Streams
from bartizan.mcp.limits import CallLimits
from bartizan.mcp.links import Link
from bartizan.mcp.running import Recording
from bartizan.mcp.server import Server
from bartizan.mcp.session import Session

_LOOK_S = 15.0


@dataclass(frozen=True)
class Behind:
    """One server behind the endpoint, and how to begin to talk to it."""

    server: Server
    link: Callable[[], Link]


@dataclass
class Talk:
    """One conversation that is going on."""

    owner: str
    behind: Behind
    session: Session
    link: Link
    conversation: Conversation
    streams: Streams
    used_ns: int
    numbers: int = 0
    watch: asyncio.Task[None] | None = field(default=None, repr=False)

    def next_id(self) -> int:
        """Return an id that no request of this conversation had."""
        self.numbers += 1
        return self.numbers

    @property
    def busy(self) -> bool:
        """Whether somebody waits for something."""
        return self.streams.standing.connected or bool(self.session.waiting())


class Talks:
    """All of them. Made and used on the event loop."""

    def __init__(self, settings: Mcp, clock: Clock, recording: Recording, limiter: Limiter | None = None) -> None:
        """Begin with none. Calls are counted by `limiter`."""
        self._limiter = limiter
        self._settings = settings
        self._clock = clock
        self._recording = recording
        self._sessions: dict[str, Talk] = {}
        self._shared: dict[tuple[str, str], Talk] = {}
        self._opening = asyncio.Lock()

    def __len__(self) -> int:
        """Return how many sessions there are."""
        return len(self._sessions)

    async def begin(self, behind: Behind, caller: Caller) -> tuple[str, Talk]:
        """Begin a session. Raises NotTaken when there are too many, UpstreamFailed when the server cannot be had."""
        await self._reap()
        mine = sum(talk.owner == caller.id for talk in self._sessions.values())
        if mine >= self._settings.sessions_per_caller or len(self._sessions) >= self._settings.sessions:
            raise NotTaken(429, "too many sessions (mcp.sessions, mcp.sessions_per_caller): end one with DELETE")
        id_ = secrets.token_urlsafe(32)
        talk = await self._new(behind, caller, id_[:8], kept=True)
        self._sessions[id_] = talk
        talk.watch = asyncio.create_task(self._watch(talk, id_))
        self._recording.enqueue("mcp-session", self._about(talk, "begun"))
        return id_, talk

    def find(self, id_: str, behind: Behind, caller: Caller) -> Talk:
        """Return a session of this caller's with this server. Raises NotTaken (404) for any other."""
        talk = self._sessions.get(id_)
        if talk is None or talk.owner != caller.id or talk.behind is not behind:
            raise NotTaken(404, "there is no such session: begin one with initialize")
        talk.used_ns = self._clock.monotonic_ns()
        return talk

    async def shared(self, behind: Behind, caller: Caller) -> Talk:
        """Return the conversation that carries a caller's requests without a session. Raises UpstreamFailed."""
        key = (caller.id, behind.server.name)
        async with self._opening:
            if key not in self._shared:
                await self._reap()
                if len(self._shared) >= self._settings.sessions:
                    raise NotTaken(429, "too many callers at once (mcp.sessions)")
                talk = self._shared[key] = await self._new(behind, caller, "", kept=False)
                talk.watch = asyncio.create_task(self._watch(talk, ""))
            talk = self._shared[key]
            talk.used_ns = self._clock.monotonic_ns()
            return talk

    async def end(self, talk: Talk, why: str) -> None:
        """End a conversation."""
        self._sessions = {id_: one for id_, one in self._sessions.items() if one is not talk}
        self._shared = {key: one for key, one in self._shared.items() if one is not talk}
        await talk.conversation.server_gone(f"the session is over: {why}")
        talk.streams.end()
        self._recording.enqueue("mcp-session", self._about(talk, why))
        if talk.watch is not None and talk.watch is not asyncio.current_task():
            talk.watch.cancel()
        await talk.conversation.close()

    async def close(self) -> None:
        """End all of them."""
        for talk in (*self._sessions.values(), *self._shared.values()):
            await self.end(talk, "the proxy stops")

    async def keep(self) -> None:
        """End what nobody uses any more, for as long as this runs."""
        while True:
            await asyncio.sleep(_LOOK_S)
            await self._reap()

    async def _new(self, behind: Behind, caller: Caller, name: str, *, kept: bool) -> Talk:
        link = behind.link()
        streams = Streams(kept=kept, guess=not link.tells)
        session = Session(behind.server, caller.id, name, caller.grant.allows_tool)
        scopes = (*caller.scopes, f"key:{caller.id}")
        limits = CallLimits(self._limiter, scopes, behind.server.name) if self._limiter is not None else None
        conversation = Conversation(session, self._recording, link, streams, limits)
        await conversation.open()
        return Talk(caller.id, behind, session, link, conversation, streams, self._clock.monotonic_ns())

    async def _watch(self, talk: Talk, id_: str) -> None:
        """End a conversation whose server ends it."""
        await talk.link.ended()
        if id_ in self._sessions or talk in self._shared.values():
            await self.end(talk, f"{talk.behind.server.name} ended")

    async def _reap(self) -> None:
        oldest = self._clock.monotonic_ns() - int(self._settings.session_idle_s * 1e9)
        for talk in (*self._sessions.values(), *self._shared.values()):
            if talk.used_ns < oldest and not talk.busy:
                await self.end(talk, "nobody used it")

    def _about(self, talk: Talk, what: str) -> dict[str, str]:
        return {"server": talk.behind.server.name, "principal": talk.owner, "what": what}

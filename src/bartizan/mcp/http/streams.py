"""The streams of one conversation to its client: one for each request, and one that belongs to none.

An event has an id that says its stream and its place, so that a client whose connection broke asks for what it missed,
on that stream and no other (MCP 2025-11-25, "Resumability and Redelivery"). What waits for a client that does not come
is bounded; the oldest goes first. A stream has one reader: a later one takes over.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable

from bartizan.mcp.http.renaming import SUBSCRIPTION
from bartizan.mcp.messages import Answer, Id, Message, Notification, Request, written

PING = b": still here\n\n"
PING_S = 15.0
MOST_EVENTS = 512
MOST_BYTES = 33554432
_MOST_DONE = 32


Restore = Callable[[Message], Message]


class TooOld(ValueError):
    """What a client wants to hear again is not kept any more."""


class Stream:
    """What is said to the client in answer to one request, or of the server's own accord (number 0)."""

    def __init__(self, number: int, *, kept: bool, primed: bool, restore: Restore | None = None) -> None:
        """Events are `kept` to be asked for again; a `primed` stream begins with an id, so that none is missed.

        `restore` gives a message the client's own names again.
        """
        self.number = number
        self.sse = False
        self.done = False
        self.connected = False
        self.last: Message | None = None
        self.sent = 0
        self._restore = restore
        self._kept = kept
        self.primed = primed
        self._events: deque[tuple[int, bytes]] = deque()
        self.bytes = 0
        self._count = 0
        self._news = asyncio.Event()
        self._reader = 0
        self._retry_ms: int | None = None

    def put(self, message: Message) -> None:
        """Add a message. The answer to a request is its last."""
        message = self._restore(message) if self._restore else message
        self.last = message
        self._count += 1
        mark = f"id: {self.number}-{self._count}\n".encode() if self._kept else b""
        event = b"event: message\n" + mark + b"data: " + written(message) + b"\n\n"
        self._events.append((self._count, event))
        self.bytes += len(event)
        while len(self._events) > 1 and (len(self._events) > MOST_EVENTS or self.bytes > MOST_BYTES):
            self.bytes -= len(self._events.popleft()[1])
        self._news.set()

    def end(self) -> None:
        """Say nothing more."""
        self.done = True
        self._news.set()

    def begin_sse(self) -> None:
        """Answer in events: the server does so too."""
        self.sse = True
        self._news.set()

    def hang_up(self, retry_ms: int) -> None:
        """End the connection, not the stream: the client shall ask again after `retry_ms`."""
        self._retry_ms = retry_ms
        self._news.set()

    async def only_answer(self, wait_s: float) -> Answer | None:
        """Return the answer if it comes within `wait_s` and nothing else before it; else it comes in events."""
        deadline = asyncio.get_running_loop().time() + wait_s
        while not (self.sse or self._count or self.done):
            if not await self._news_by(deadline):
                return None
        alone = self._count == 1 and self.done and not self.sse
        return self.last if alone and isinstance(self.last, Answer) else None

    async def answer(self, wait_s: float) -> Answer | None:
        """Return the answer once it is there, or None when it does not come within `wait_s`."""
        deadline = asyncio.get_running_loop().time() + wait_s
        while not self.done and await self._news_by(deadline):
            pass
        return self.last if self.done and isinstance(self.last, Answer) else None

    async def _news_by(self, deadline: float) -> bool:
        """Wait for anything new; return whether it came in time."""
        self._news.clear()
        try:
            async with asyncio.timeout_at(deadline):
                await self._news.wait()
        except TimeoutError:
            return False
        return True

    def check(self, after: int) -> None:
        """Raise TooOld when some of the events after number `after` are gone."""
        if not 0 <= after <= self._count or (self._events and self._events[0][0] > after + 1):
            raise TooOld(f"event {after} of stream {self.number} is not kept any more")

    async def events(self, after: int) -> AsyncGenerator[bytes, None]:
        """Yield the events after number `after`, as they come."""
        self._reader += 1
        me, self.connected = self._reader, True
        self._news.set()  # whoever read before sees that it is over
        try:
            yield f"id: {self.number}-{after}\ndata: \n\n".encode() if self.primed and self._kept else b""
            async for piece in self._rest(me, after):
                yield piece
        finally:
            if me == self._reader:
                self.connected = False

    async def _rest(self, me: int, after: int) -> AsyncGenerator[bytes, None]:
        at = after
        while me == self._reader:
            for number, event in tuple(self._events):
                if number > at:
                    at = self.sent = number
                    yield event
            while not self._kept and self._events and self._events[0][0] <= at:
                self.bytes -= len(self._events.popleft()[1])
            if self._events and self._events[-1][0] > at:
                continue  # more came while those were sent
            if self._retry_ms is not None and at == self._count:
                retry_ms, self._retry_ms = self._retry_ms, None
                yield b"retry: %d\n\n" % retry_ms
                return
            if self.done and at == self._count:
                return
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), PING_S)
            except TimeoutError:
                yield PING


class Streams:
    """All streams of one conversation: finds the one on which a message belongs."""

    def __init__(self, *, kept: bool, guess: bool = False) -> None:
        """`kept`: a session whose streams can be resumed, and that has one for what belongs to no request.

        `guess` which request a message belongs to: the way to the server does not tell.
        """
        self._guess = guess
        self._kept = kept
        self.primed = False
        self.standing = Stream(0, kept=kept, primed=False)
        self._open: dict[Id, Stream] = {}
        self._tokens: dict[Id, Id] = {}
        self._done: deque[Stream] = deque(maxlen=_MOST_DONE)
        self._numbers = 0

    def prime(self) -> None:
        """Begin each connection with an id: the client's version of MCP knows what that is for (2025-11-25)."""
        self.primed = self.standing.primed = True

    def begin(self, asked: Request, restore: Restore | None = None) -> Stream:
        """Return a new stream for the answer to a request."""
        self._numbers += 1
        stream = Stream(self._numbers, kept=self._kept, primed=self.primed, restore=restore)
        self._open[asked.id] = stream
        meta = asked.params.get("_meta")
        token = meta.get("progressToken") if isinstance(meta, dict) else None
        if isinstance(token, str | int):
            self._tokens[token] = asked.id
        return stream

    def is_open(self, id_: Id) -> bool:
        """Return whether a request of this id has no answer yet."""
        return id_ in self._open

    def forget(self, stream: Stream) -> None:
        """Keep no more what a client has got whole."""
        if stream in self._done:
            self._done.remove(stream)

    def drop(self, id_: Id) -> None:
        """Forget the stream of a request that gets no answer."""
        if stream := self._open.pop(id_, None):
            stream.end()
        self._tokens = {token: of for token, of in self._tokens.items() if of != id_}

    def find(self, event: str) -> tuple[Stream, int]:
        """Return the stream and the number that an event's id names. Raises TooOld when it is none of these."""
        stream, _, number = event.partition("-")
        if stream.isascii() and stream.isdigit() and number.isascii() and number.isdigit() and len(event) < 32:
            for one in (self.standing, *self._open.values(), *self._done):
                if one.number == int(stream):
                    return one, int(number)
        raise TooOld(f"event {event[:40]!r} belongs to no stream of this session")

    def end(self) -> None:
        """End all of them."""
        for id_ in tuple(self._open):
            self.drop(id_)
        self.standing.end()

    # the client's end of a conversation

    async def deliver(self, message: Message, via: Id | None) -> None:
        """Put a message on its stream."""
        if isinstance(message, Answer):
            stream = self._open.pop(message.id, None) if message.id is not None else None
            if stream is None or message.id is None:
                return
            self._tokens = {token: of for token, of in self._tokens.items() if of != message.id}
            stream.put(message)
            stream.end()
            if self._kept:
                self._done.append(stream)
                while sum(one.bytes for one in self._done) > MOST_BYTES:
                    self._done.popleft()
            return
        stream = self._open.get(via) if via is not None else self._related(message)
        if stream is not None:
            stream.put(message)
        elif self._kept:
            self.standing.put(message)

    def streams(self, id_: Id) -> None:
        """Answer a request in events, because its server does."""
        if stream := self._open.get(id_):
            stream.begin_sse()

    def hangs_up(self, id_: Id, retry_ms: int) -> None:
        """Pause the stream of a request, because its server does."""
        if (stream := self._open.get(id_)) and self.primed:
            stream.hang_up(retry_ms)

    def _related(self, message: Request | Notification) -> Stream | None:
        """Return the stream of the request that a message belongs to, as far as it says."""
        meta = message.params.get("_meta")
        named = meta.get(SUBSCRIPTION) if isinstance(meta, dict) else None
        if named is None and message.method == "notifications/progress":
            token = message.params.get("progressToken")
            named = self._tokens.get(token) if isinstance(token, str | int) else None
        if isinstance(named, str | int):
            return self._open.get(named)
        if not self._guess or not self._open or (self._kept and self.standing.connected):
            return None
        if self._kept or len(self._open) == 1:  # it says nothing: the newest request is what it is most likely about
            return self._open[next(reversed(self._open))]
        return None

"""The end of a streamed answer, also of one that its client leaves: what it costs is found out and settled.

Some providers bill an answer to its end even when nobody reads it, others to the moment at which the connection closes.
An abandoned answer is therefore read on, unseen, to its end: then both bill the same and its last event says how much.
That is bounded in time. An answer that is closed instead, or that breaks off, is charged all that was held for it.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from bartizan.core.errors import UpstreamFailed
from bartizan.core.messages import Usage
from bartizan.gateway.limits.booking import Booking
from bartizan.gateway.upstream import Answering

_draining: set["asyncio.Task[None]"] = set()


class Expanding(Protocol):
    """Undoes compression."""

    def feed(self, data: bytes) -> bytes:
        """Return the next bytes, expanded."""
        ...


class Reading(Protocol):
    """Reads usage."""

    usage: Usage | None

    def discard(self, data: bytes) -> None:
        """Take bytes that go to nobody."""
        ...


class Leaving:
    """Ends one stream, once."""

    def __init__(
        self,
        booking: Booking,
        answer: Answering,
        guard: Reading,
        expander: Expanding,
        settled: Callable[[Booking], None],
    ) -> None:
        """Settle `booking` on what `answer` says; tell `settled` when that came after the client had left."""
        self.booking = booking
        self.answer = answer
        self._guard = guard
        self._expander = expander
        self._told = settled
        self._left = False

    def bill(self) -> None:
        """Settle an answer that came to its end."""
        self.booking.settle(self._guard.usage)

    def leave(self, *, complete: bool) -> None:
        """Give the connection back. An answer that is not complete is read to its end first, by nobody's leave."""
        if self._left:
            return
        self._left = True
        if complete or not self.booking.drains:
            self.answer.release()
            self.booking.settle(None)
            return
        task = asyncio.ensure_future(self._drain())
        _draining.add(task)
        task.add_done_callback(_draining.discard)

    async def _drain(self) -> None:
        usage = None
        try:
            async with asyncio.timeout(self.booking.drain_s):
                while piece := await self.answer.read():
                    self._guard.discard(self._expander.feed(piece))
            usage = self._guard.usage
        except (UpstreamFailed, TimeoutError):
            pass
        finally:
            self.answer.release()
            self.booking.settle(usage)
            self._told(self.booking)

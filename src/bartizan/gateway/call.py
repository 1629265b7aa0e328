"""A request as it came, and what goes back: the words between the network's edge and the steps of an exchange."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from typing import NamedTuple

from bartizan.gateway.auth import Headers


class Call(NamedTuple):
    """A request as it came. `target` is the path with its query, as the client wrote it."""

    method: str
    target: str
    headers: Headers
    body: bytes
    address: str = ""

    @property
    def path(self) -> str:
        """Return the path alone."""
        return self.target.partition("?")[0]


@dataclass(slots=True)
class Answer:
    """What goes back: a body, or for a stream the pieces of one."""

    status: int
    headers: Headers
    body: bytes = b""
    pieces: "Pieces | None" = None


class Pieces:
    """The pieces of a stream. `close` ends it whether or not anybody has begun to read it."""

    def __init__(self, pieces: AsyncGenerator[bytes, None], abandon: Callable[[], None]) -> None:
        """Hand on `pieces`; call `abandon` when it is closed unread: a generator that never ran cleans nothing up."""
        self._pieces = pieces
        self._abandon = abandon
        self._begun = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Begin to read."""
        self._begun = True
        return self._pieces

    async def close(self) -> None:
        """End the stream."""
        if not self._begun:
            self._abandon()
        await self._pieces.aclose()

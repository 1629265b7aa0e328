"""The words between a conversation and its two ends: the way to the server, and the client.

A way to the server (`Link`) is a child between pipes or an address; a client is one at the other end of ours, or many
over HTTP. Both hand over messages whole and know nothing of what they mean.
"""

from typing import Protocol

from bartizan.mcp.messages import Id, Message


class Ear(Protocol):
    """Who listens to a server."""

    @property
    def version(self) -> str:
        """The protocol version that both sides agreed on, empty before they did."""
        ...

    def waiting(self, id_: Id) -> bool:
        """Return whether the client's request `id_` has no answer yet."""
        ...

    async def server_sends(self, raw: bytes, via: Id | None = None) -> None:
        """Take one message of the server. `via` is the client's request in whose answer it came, if it was one."""
        ...

    async def bad_message(self, side: str, why: str) -> None:
        """Take note of something that was no message."""
        ...

    async def lost(self, id_: Id, why: str) -> None:
        """Take note that the request `id_` will get no answer."""
        ...

    def streams(self, id_: Id) -> None:
        """Take note that the answer to `id_` comes in pieces."""
        ...

    def hangs_up(self, id_: Id, retry_ms: int) -> None:
        """Take note that the server pauses the stream of `id_` and wants to be asked again after `retry_ms`."""
        ...


class Link(Protocol):
    """A way to a server. `tells` says whether it knows in whose answer a message came."""

    tells: bool

    async def open(self, ear: Ear) -> None:
        """Connect; from now on `ear` hears what the server says. Raises UpstreamFailed."""
        ...

    async def send(self, message: Message) -> None:
        """Send one message. What fails later is told to the ear."""
        ...

    async def ended(self) -> int:
        """Return when the server is gone: its exit code, 0 when it has none."""
        ...

    async def finish(self) -> None:
        """Send nothing more, and wait a while for what was asked."""
        ...

    async def close(self) -> int:
        """End it and return its exit code."""
        ...


class Client(Protocol):
    """Who is served."""

    async def deliver(self, message: Message, via: Id | None) -> None:
        """Hand a message over. `via` is the request in whose answer the server sent it, if it was one."""
        ...

    def streams(self, id_: Id) -> None:
        """Take note that the answer to `id_` comes in pieces."""
        ...

    def hangs_up(self, id_: Id, retry_ms: int) -> None:
        """Take note that the server pauses the stream of `id_`."""
        ...

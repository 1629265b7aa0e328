"""What the client was told in one answer: its texts as they left, and the name under which the provider keeps it.

A text is told by a hash without its white space, which clients change; the texts themselves are kept up to `KEPT`
characters, for providers that keep conversations.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Protocol

from bartizan.core.messages import ToolCall

KEPT = 65_536


class Digest(Protocol):
    """A hash that grows."""

    def update(self, data: bytes, /) -> None:
        """Add bytes."""
        ...

    def digest(self) -> bytes:
        """Return the hash so far."""
        ...


@dataclass(slots=True)
class _Channel:
    hash: Digest
    pieces: list[str] = field(default_factory=list)
    kept: int = 0


@dataclass(slots=True)
class Hearing:
    """One answer, heard piece by piece."""

    id: str = ""
    """The provider's name of the answer, where a later request can go on from it by that."""
    calls: dict[str, ToolCall] = field(default_factory=dict)
    _channels: dict[str, _Channel] = field(default_factory=dict)

    def begin(self) -> None:
        """Forget what was heard: the answer is read anew."""
        self.id = ""
        self.calls.clear()
        self._channels.clear()

    def take(self, channel: str, text: str) -> None:
        """Hear the next piece of a channel."""
        into = self._channels.get(channel)
        if into is None:
            into = self._channels[channel] = _Channel(hashlib.blake2b(digest_size=12))
        into.hash.update(_bare(text))
        if into.kept < KEPT:
            into.pieces.append(text[: KEPT - into.kept])
            into.kept += len(into.pieces[-1])

    def digests(self) -> list[bytes]:
        """Return the hashes of the texts that were told."""
        return [channel.hash.digest() for channel in self._channels.values()]

    def texts(self) -> list[str]:
        """Return the texts that were told, each up to `KEPT` characters."""
        return ["".join(channel.pieces) for channel in self._channels.values()]


def digest(text: str) -> bytes:
    """Return the hash by which a text is known again."""
    return hashlib.blake2b(_bare(text), digest_size=12).digest()


def _bare(text: str) -> bytes:
    return "".join(text.split()).encode("utf-8", "surrogatepass")

"""What a log needs of a database: leaves, contents, hashes of large subtrees, one writer at a time.

A `Tables` holds one connection and is used by one thread at a time; the log sees to that.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol


class Leaf(NamedTuple):
    """A leaf of the tree as it is stored."""

    seq: int
    record: bytes
    hash: bytes
    kind: str


class Content(NamedTuple):
    """What a leaf commits to, with the salt."""

    seq: int
    salt: bytes
    body: bytes


class Node(NamedTuple):
    """The hash of a complete subtree of 2^level leaves."""

    level: int
    idx: int
    hash: bytes


Row = tuple[bytes, bytes, bytes | None]
"""(record, leaf hash, body or None when it was erased)."""

Whole = tuple[int, bytes, bytes, str, bytes | None, bytes | None]
"""(seq, record, leaf hash, kind, salt, body) as it stands in the database, whoever changed it."""


class Tables(Protocol):
    """The rows of one log. Every method raises BadEvidence when the database fails."""

    @property
    def name(self) -> str:
        """Return what errors call it; holds no password."""
        ...

    def writing(self) -> AbstractContextManager[None]:
        """Hold a transaction that no other writer's can overlap; what it did is durable once it is left."""
        ...

    def reading(self) -> AbstractContextManager[None]:
        """Hold one snapshot, also while others append."""
        ...

    def size(self) -> int:
        """Return how many leaves there are."""
        ...

    def node(self, level: int, idx: int) -> bytes | None:
        """Return the stored hash of a subtree."""
        ...

    def leaf_hashes(self, first: int, count: int) -> list[bytes]:
        """Return the hashes of up to `count` leaves from `first` on, in order."""
        ...

    def add(self, leaves: Sequence[Leaf], contents: Sequence[Content], nodes: Sequence[Node]) -> None:
        """Insert rows, inside `writing`."""
        ...

    def forget(self, seq: int) -> bool:
        """Delete a content, inside `writing`; return whether there was one."""
        ...

    def scrub(self) -> None:
        """Remove deleted contents from files as far as the database can, outside a transaction."""
        ...

    def rows(self, first: int, count: int) -> list[Row]:
        """Return up to `count` rows from number `first` on, in order."""
        ...

    def mentioning(self, word: bytes, first: int, count: int) -> list[Row]:
        """Return those of up to `count` rows from number `first` on whose body holds the bytes `word`, in order."""
        ...

    def latest(self, kind: str, count: int, below: int) -> list[Row]:
        """Return the last `count` rows of a kind with numbers below `below`, the latest first."""
        ...

    def counts(self) -> dict[str, int]:
        """Return how many leaves of each kind there are."""
        ...

    def everything(self) -> Iterator[Whole]:
        """Yield every leaf with its content, in order, inside `reading`; not all in memory."""
        ...

    def nodes(self) -> Iterator[Node]:
        """Yield every stored subtree hash, inside `reading`."""
        ...

    def strays(self) -> list[int]:
        """Return the numbers of contents that belong to no leaf."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...

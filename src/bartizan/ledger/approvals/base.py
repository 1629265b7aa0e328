"""The words of the queue of held calls, and what it needs of a database.

A question is about one call with these arguments, of one caller, for one reason. Approved, it lets that call happen
once. Denied, or not answered in time, it lets nothing happen.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol

from msgspec import Struct

State = Literal["waiting", "approved", "denied"]
"""What a person said; a question that is too old is `expired`, an approval that was used is `used`: see `Held.now`."""
Shown = Literal["waiting", "approved", "denied", "expired", "used"]


class Place(Struct, frozen=True):
    """A value that is asked about: which argument, and where it stands. `document` is the digest of that text."""

    argument: str
    role: str
    value: str
    where: str = ""
    document: str = ""
    form: str = ""
    """The form that equal values share."""


class Question(Struct, frozen=True, kw_only=True):
    """What is asked. `key` is the same for the same call of the same caller for the same reason."""

    id: str
    key: str
    at_ns: int
    until_ns: int
    principal: str
    tool: str
    effect: str
    reason: str
    why: str
    arguments: str
    places: tuple[Place, ...] = ()
    request: str = ""
    """The id of the request in the ledger."""
    critical: bool = False
    """Whether two people must agree."""


class Held(Struct, frozen=True):
    """A question as it stands: who answered what, and when the approval was used (0: not yet)."""

    question: Question
    state: State = "waiting"
    who: str = ""
    why: str = ""
    answered_ns: int = 0
    used_ns: int = 0

    def now(self, now_ns: int) -> Shown:
        """Return the state that counts at a moment."""
        if self.used_ns:
            return "used"
        return "expired" if now_ns > self.question.until_ns and self.state != "denied" else self.state

    def alive(self, now_ns: int) -> bool:
        """Return whether the same question need not be asked again: it waits, may be used, or was denied lately."""
        return not self.used_ns and now_ns <= self.question.until_ns


class Endorsed(Struct, frozen=True, kw_only=True):
    """A person's yes for later: a value, or all of a document, for one effect, until a moment, for one caller.

    An empty `principal` means every caller. Without `value` it is the document.
    """

    id: str
    at_ns: int
    until_ns: int
    effect: str
    name: str
    """What people call it: the place of the document, or the value."""
    value: str = ""
    document: str = ""
    principal: str = ""
    who: str
    why: str


class Rows(Protocol):
    """One connection to a database, for one thread at a time. Every method raises BadEvidence when it fails.

    Statements are written once, in SQL that both databases read, with `?` for values.
    """

    @property
    def name(self) -> str:
        """Return what errors call it; holds no password."""
        ...

    def writing(self) -> AbstractContextManager[None]:
        """Hold a transaction that no other writer's can overlap; durable once it is left."""
        ...

    def run(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows, none for one that has none."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...

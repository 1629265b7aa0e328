"""What was ruled about the tool calls of one answer, on its way from the policy to the dialect that writes it.

A call that may not happen is left out and a text stands in its place, so that the model reads why and the other calls
go on; a call that may happen only without something runs with other arguments.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bartizan.core.findings import Finding, Severity
from bartizan.core.messages import ToolCall
from bartizan.core.verdicts import Allow, Ask, Verdict


@dataclass(frozen=True, slots=True)
class Ruling:
    """What happens to one call. `arguments` are those it runs with instead of its own.

    `told` is what the model reads in place of a call that may not happen; without it, the whole answer is refused.
    `Ask` means that a person is being asked: decide again once there is an answer.
    """

    verdict: Verdict
    told: str = ""
    arguments: str | None = None
    settled: frozenset[str] = frozenset()
    """Values of the arguments that were judged one by one: no control on personal data need look at them again."""


Decide = Callable[[ToolCall], Ruling]


class Asking(Protocol):
    """Decides the calls of one answer, asks people where it must, and notes what leaves."""

    def __call__(self, call: ToolCall) -> Ruling:
        """Return what happens to a call."""
        ...

    def again(self) -> None:
        """Note that the whole answer is decided anew."""
        ...

    async def answered(self) -> None:
        """Return once every question that was asked has an answer, or its time is over."""
        ...

    async def leave(self, calls: Sequence[ToolCall]) -> None:
        """Note that these calls are about to reach the client, as they stand. Raises BadEvidence."""
        ...


@dataclass(slots=True)
class Rulings:
    """The calls of one answer, by the reader's own names for them."""

    denied: dict[str, str] = field(default_factory=dict)
    """Those that are left out, and what is told instead."""
    rewritten: dict[str, str] = field(default_factory=dict)
    """Those that run with other arguments."""
    passed: dict[str, ToolCall] = field(default_factory=dict)
    """Those that the client will read, as it will read them."""
    settled: set[str] = field(default_factory=set)
    """Values in the arguments of those that may happen, which were judged one by one."""

    def __bool__(self) -> bool:
        """Return whether anything is to be changed."""
        return bool(self.denied or self.rewritten)


@dataclass(frozen=True, slots=True)
class Ruled:
    """What a ruling came to: the call waits for a person, or the whole answer is refused (`blocked`), or neither."""

    waits: bool = False
    blocked: str = ""
    finding: Finding | None = None


def rule(decide: Decide, call: ToolCall, key: str, rulings: Rulings, *, replaceable: bool) -> Ruled:
    """Ask about `call`, which the reader names `key`, and note in `rulings` what is to be changed."""
    ruling = decide(call)
    why = ruling.verdict.why
    match ruling.verdict:
        case Allow():
            rulings.settled |= ruling.settled
            if ruling.arguments is None:
                return Ruled()
            rulings.rewritten[key] = ruling.arguments
            return Ruled(finding=Finding("tool-call-rewritten", Severity.MEDIUM, why, call.tool))
        case Ask():
            return Ruled(waits=True)
        case _:
            finding = Finding("tool-call", Severity.HIGH, why, call.tool)
            if not ruling.told or not replaceable:
                return Ruled(blocked=why, finding=finding)
            rulings.denied[key] = ruling.told
            return Ruled(finding=finding)

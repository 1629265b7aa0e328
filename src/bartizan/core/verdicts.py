"""What is done about something. The strictest wins, and no verdict at all is `Block`."""

from collections.abc import Iterable
from dataclasses import dataclass

from bartizan.core.findings import Span


@dataclass(frozen=True, slots=True)
class Allow:
    """Let it pass unchanged."""

    why: str = "nothing found"


@dataclass(frozen=True, slots=True)
class Redact:
    """Let it pass without these spans."""

    why: str
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """Hold it until a person answers."""

    why: str


@dataclass(frozen=True, slots=True)
class Block:
    """Do not let it pass."""

    why: str


Verdict = Allow | Redact | Ask | Block

_MILDEST_TO_STRICTEST = (Allow, Redact, Ask, Block)


def strictest(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the strictest of `verdicts`; among equals the first. No verdict at all means `Block`."""
    return max(
        verdicts,
        key=lambda verdict: _MILDEST_TO_STRICTEST.index(type(verdict)),
        default=Block("nothing decided"),
    )


def verdict_name(verdict: Verdict) -> str:
    """Return the wire word: allow, redact, ask or block."""
    return type(verdict).__name__.lower()

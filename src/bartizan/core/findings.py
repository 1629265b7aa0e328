"""What was seen. A finding never decides anything; verdicts do."""

from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """How bad it is if true. The order is used for sorting and for gates."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Characters `start` (included) to `end` (excluded) of the text the user sent."""

    start: int
    end: int

    def __post_init__(self) -> None:
        """Refuse spans that run backwards."""
        if not 0 <= self.start <= self.end:
            raise ValueError(f"Span({self.start}, {self.end}): expected 0 <= start <= end")


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation: a stable `rule` id (kebab-case), how bad, why in one sentence, and where.

    `where` is a path, JSON pointer or URL a person can follow. `span` points into the text, if there is one.
    `score` is the detector's own number in 0..1; None when the rule is exact.
    """

    rule: str
    severity: Severity
    why: str
    where: str = ""
    span: Span | None = None
    score: float | None = None

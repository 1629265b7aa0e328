"""What an output control is: a look at a text that may still grow.

A control answers two questions about the text so far: which spans must not pass, and from where on more text could
still complete such a span. Nothing behind that second point is delivered. It must hold: if a hit is found once the
whole text is known, then for every shorter beginning of the text the hold is at or before the start of that hit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from bartizan.core.findings import Finding, Severity

Action = Literal["block", "redact", "monitor", "off"]

LONGEST_RUN = 4096
"""A run of characters without a space longer than this is no key, number or link that we know."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Characters `start` to `end` must not pass, because of `rule`."""

    start: int
    end: int
    rule: str
    why: str
    sure: bool = False
    """More text cannot undo it: a control that blocks need not wait."""

    def finding(self, where: str) -> Finding:
        """Return the finding; it never repeats what was found."""
        return Finding(self.rule, Severity.HIGH, self.why, where)


class Look(NamedTuple):
    """What a control says: its hits, and from where on it cannot say yet."""

    hits: Sequence[Hit]
    hold: int


class Control(Protocol):
    """One output control."""

    name: str

    def look(self, text: str, *, final: bool) -> Look:
        """Return the hits in `text` and the hold. `final` says that no more text will come."""
        ...

    def overhear(self, text: str) -> bool:
        """Take in a text of the answer that a tool on the provider's side wrote; return whether to look at it too."""
        ...


@dataclass(frozen=True, slots=True)
class Active:
    """A control and what happens when it hits."""

    control: Control
    action: Action
    opening: bool = False
    """It looks at how the model's words to the user begin, and at nothing else."""


def parted(active: Sequence[Active]) -> tuple[list[Active], list[Active]]:
    """Return the controls that look at every text, and those that look at how the model's words begin."""
    return [entry for entry in active if not entry.opening], [entry for entry in active if entry.opening]


def over_foreign(active: Sequence[Active], text: str) -> list[Active]:
    """Let every control hear a text that the model did not write; return those that look at it like at any other."""
    return [entry for entry in active if entry.control.overhear(text)]


def run_start(text: str) -> int:
    """Return where the last run of characters without white space begins, at most LONGEST_RUN from the end."""
    start = len(text.rstrip())
    if start < len(text):
        return len(text)
    cut = max(text.rfind(" "), text.rfind("\n"), text.rfind("\t"), text.rfind("\r"))
    return max(cut + 1, len(text) - LONGEST_RUN)

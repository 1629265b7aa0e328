"""What a scan says about an artefact, and what a scan may cost. Nothing here opens, imports or runs anything.

Four verdicts: a file that was skipped or could not be read to its end is UNREADABLE, never clean.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum

from bartizan.core.findings import Finding, Severity


class Verdict(IntEnum):
    """What to do with an artefact; the worst of its parts counts."""

    CLEAN = 0
    """Everything in it was read and is on the list of things that cannot act."""
    REVIEW = 1
    """Nothing known to be hostile, but something a person should approve."""
    UNREADABLE = 2
    """It could not be read to its end."""
    BLOCK = 3
    """Loading it would run something that nobody approved, or it lies about what it is."""


_BY_SEVERITY = {
    Severity.INFO: Verdict.CLEAN,
    Severity.LOW: Verdict.CLEAN,
    Severity.MEDIUM: Verdict.REVIEW,
    Severity.HIGH: Verdict.BLOCK,
    Severity.CRITICAL: Verdict.BLOCK,
}
UNREADABLE = "unreadable"
"""Rule of findings that say that reading stopped."""


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """A package that a file asks for or is."""

    ecosystem: str
    """`PyPI` or `npm`."""
    name: str
    version: str = ""
    """Exactly this version; empty when the file does not say which."""
    digests: tuple[str, ...] = ()
    """`algorithm:hex` or `algorithm-base64`, as the file writes them."""
    licence: str = ""
    """What the package says of itself."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """The result for one file or one member of a container."""

    path: str
    format: str
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    globals: tuple[str, ...] = ()
    """Every `module.name` that a pickle in it refers to."""
    packages: tuple[Package, ...] = ()
    """Every package that it asks for or is."""


def judged(
    path: str, kind: str, findings: Iterable[Finding], globals_: Iterable[str] = (), packages: Iterable[Package] = ()
) -> Scanned:
    """Return the result with the verdict that follows from `findings`."""
    found = tuple(findings)
    verdicts = [Verdict.UNREADABLE if one.rule == UNREADABLE else _BY_SEVERITY[one.severity] for one in found]
    worst = max(verdicts, default=Verdict.CLEAN)
    return Scanned(path, kind, worst, found, tuple(dict.fromkeys(globals_)), tuple(dict.fromkeys(packages)))


def unreadable(why: str, where: str = "") -> Finding:
    """Return the finding that reading stopped, and why."""
    return Finding(UNREADABLE, Severity.MEDIUM, why, where)


class LimitReached(Exception):
    """A budget is spent. The scan of this artefact ends as UNREADABLE."""


@dataclass
class Budget:
    """What one artefact may cost, all its members together."""

    seconds: float = 120.0
    output_bytes: int = 2 << 30
    """Bytes that come out of compression; what is unpacked is held in memory."""
    ratio: int = 1000
    """Largest ratio of output to input of one compressed stream."""
    members: int = 100_000
    depth: int = 8
    opcodes: int = 50_000_000
    _until: float = field(init=False)

    def __post_init__(self) -> None:
        """Start the clock."""
        self._until = time.monotonic() + self.seconds

    def tick(self) -> None:
        """Raise LimitReached when the time is over."""
        if time.monotonic() > self._until:
            raise LimitReached(f"more than {self.seconds:g} s")

    def spend(self, what: str, amount: int = 1) -> None:
        """Take `amount` of `output_bytes`, `members` or `opcodes`."""
        left = getattr(self, what) - amount
        setattr(self, what, left)
        if left < 0:
            raise LimitReached(f"more {what} than allowed")
        self.tick()

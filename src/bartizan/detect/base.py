"""What a detector is, and how several run: in order, each guarded, a crash being a finding of its own."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from bartizan.core.findings import Finding, Severity
from bartizan.core.messages import Text


class NeedsTime(Exception):
    """A detector that may only glance would have to compute for milliseconds."""


class Detector(Protocol):
    """Looks at one text."""

    name: str

    def scan(self, text: Text) -> Iterable[Finding]:
        """Yield what is seen in `text`. Thread-safe, no I/O."""
        ...


FAILED = "detector-failed"
"""The rule of a finding that a detector crashed: nobody knows what it would have said another time."""


def scan_all(detectors: Sequence[Detector], text: Text) -> list[Finding]:
    """Run every detector over `text`; one that raises is reported, never silent."""
    found: list[Finding] = []
    for detector in detectors:
        try:
            found.extend(detector.scan(text))
        except NeedsTime:
            raise
        except Exception as error:  # noqa: BLE001 - the guard must outlive any detector
            why = f"{detector.name} failed: {type(error).__name__}"
            found.append(Finding(FAILED, Severity.HIGH, why, text.origin))
    return found

"""The input screen: every text that the operator did not write, through every detector, to one verdict.

What the operator or the developer wrote is not screened: it is the instruction. What findings mean is decided here and
nowhere else: HIGH blocks, and so do two different MEDIUM ones; a detector that failed is HIGH.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bartizan.core.findings import Finding, Severity
from bartizan.core.messages import Prompt, Trust
from bartizan.core.verdicts import Allow, Block, Verdict
from bartizan.detect.base import Detector, scan_all
from bartizan.detect.detectors import DETECTORS


@dataclass(frozen=True, slots=True)
class Screened:
    """What the screen says about a prompt, and what that rests on."""

    verdict: Verdict
    findings: tuple[Finding, ...] = ()


class InputScreen:
    """Screens prompts. Holds no state between them; thread-safe."""

    def __init__(self, detectors: Sequence[Detector] = DETECTORS) -> None:
        """Use `detectors` in this order. None at all is refused: that would look like a control and be none."""
        if not detectors:
            raise ValueError("no detectors: expected at least one")
        self._detectors = tuple(detectors)

    def screen(self, prompt: Prompt) -> Screened:
        """Return the verdict on everything in `prompt` that somebody other than operator and developer wrote."""
        found: list[Finding] = []
        for message in prompt.messages:
            for text in message.texts():
                if text.trust < Trust.DEVELOPER:
                    found += scan_all(self._detectors, text)
        return Screened(decide(found), tuple(found))


def decide(findings: Sequence[Finding]) -> Verdict:
    """Return Block for one HIGH finding or for two different MEDIUM rules, else Allow."""
    for finding in findings:
        if finding.severity >= Severity.HIGH:
            return Block(f"{finding.rule}: {finding.why}")
    medium = sorted({finding.rule for finding in findings if finding.severity is Severity.MEDIUM})
    if len(medium) > 1:
        return Block(f"together: {', '.join(medium)}")
    return Allow()

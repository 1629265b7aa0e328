"""One text, one judgement: every detector in order, what they found, a score that can be compared, and the verdict.

What findings mean is decided here and nowhere else: HIGH blocks, and so do two different MEDIUM ones; a detector that
failed is HIGH. The score orders texts by how bad they look, so that a threshold for a budget of false positives can be
chosen on one's own clean traffic; it is no probability.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bartizan.core.findings import Finding, Severity
from bartizan.core.messages import Text
from bartizan.core.verdicts import Allow, Block, Verdict
from bartizan.detect.base import Detector, scan_all
from bartizan.detect.detectors import DETECTORS

_SCORES = {
    Severity.INFO: 0.0,
    Severity.LOW: 0.2,
    Severity.MEDIUM: 0.5,
    Severity.HIGH: 0.9,
    Severity.CRITICAL: 1.0,
}
_TOGETHER = 0.8


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be done with a text, how bad it looks (0..1), and what that rests on."""

    verdict: Verdict
    score: float
    findings: tuple[Finding, ...] = ()


class Judge:
    """Judges one text after another. Holds no state between them; thread-safe."""

    def __init__(self, detectors: Sequence[Detector] = DETECTORS) -> None:
        """Use `detectors` in this order. None at all is refused: that would look like a control and be none."""
        if not detectors:
            raise ValueError("no detectors: expected at least one")
        self._detectors = tuple(detectors)

    def judge(self, text: Text) -> Judgement:
        """Return the judgement on `text` alone."""
        found = scan_all(self._detectors, text)
        return Judgement(decide(found), score(found), tuple(found))


def decide(findings: Sequence[Finding]) -> Verdict:
    """Return Block for one HIGH finding or for two different MEDIUM rules, else Allow."""
    for finding in findings:
        if finding.severity >= Severity.HIGH:
            return Block(f"{finding.rule}: {finding.why}")
    medium = sorted({finding.rule for finding in findings if finding.severity is Severity.MEDIUM})
    if len(medium) > 1:
        return Block(f"together: {', '.join(medium)}")
    return Allow()


def score(findings: Sequence[Finding]) -> float:
    """Return the worst finding's own score, or that of its severity; two MEDIUM rules weigh more than one. 0..1."""
    worst = max((_SCORES[one.severity] if one.score is None else one.score for one in findings), default=0.0)
    medium = {one.rule for one in findings if one.severity is Severity.MEDIUM}
    return max(worst, _TOGETHER) if len(medium) > 1 else worst

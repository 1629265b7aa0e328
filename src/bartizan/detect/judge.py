"""One text, one judgement: every detector in order, what they found, a score that can be compared, and the verdict.

What findings mean is decided here and nowhere else. The classifier gives log odds against its threshold; each rule that
fires adds to them, and rules alone block only when two different ones fire: by themselves they err too often on talk
about attacks. HIGH findings block, and so does a detector that failed. The score is no probability: it orders texts, so
that a threshold for a budget of false positives can be chosen on one's own clean traffic; 0.5 is the shipped one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bartizan.core.findings import Finding, Severity
from bartizan.core.messages import Text
from bartizan.core.verdicts import Allow, Block, Verdict
from bartizan.detect.base import Detector, scan_all
from bartizan.detect.detectors import detectors as shipped_detectors

_UNSCORED = -2.5
"""Log odds where no detector gave a score."""
_RULE = 2.0
"""What each different MEDIUM rule adds: two of them alone are enough, one is not."""
_CERTAIN = 4.0
"""Log odds of a HIGH finding without a score of its own."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be done with a text, and what that rests on."""

    verdict: Verdict
    findings: tuple[Finding, ...] = ()

    @property
    def score(self) -> float:
        """Return how bad the text looks, 0..1."""
        return score(self.findings)


_NOTHING = Judgement(Allow())


class Judge:
    """Judges one text after another. Holds no state between them; thread-safe."""

    def __init__(self, detectors: Sequence[Detector] | None = None) -> None:
        """Use `detectors` in this order, or the shipped ones. An empty list is refused: it would be no control."""
        if detectors is not None and not detectors:
            raise ValueError("no detectors: expected at least one")
        self._detectors = shipped_detectors() if detectors is None else tuple(detectors)

    def judge(self, text: Text) -> Judgement:
        """Return the judgement on `text` alone."""
        found = scan_all(self._detectors, text)
        return Judgement(decide(found), tuple(found)) if found else _NOTHING


def decide(findings: Sequence[Finding]) -> Verdict:
    """Return Block where the log odds of the findings of one text reach zero, else Allow."""
    if not findings or log_odds(findings) < 0:
        return Allow()
    worst = max(findings, key=lambda one: (one.severity, one.score or 0.0))
    if worst.severity >= Severity.HIGH:
        return Block(f"{worst.rule}: {worst.why}")
    telling = sorted({one.rule for one in findings if one.severity is Severity.MEDIUM or one.score is not None})
    return Block(f"together: {', '.join(telling)}")


def score(findings: Sequence[Finding]) -> float:
    """Return the findings of one text as a number in 0..1 that grows with how bad they look."""
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, log_odds(findings)))))


def log_odds(findings: Sequence[Finding]) -> float:
    """Return what the findings of one text add up to; zero and more blocks."""
    scored = [_logit(one.score) for one in findings if one.score is not None]
    rules = {one.rule for one in findings if one.score is None and one.severity is Severity.MEDIUM}
    total = max(scored, default=_UNSCORED) + _RULE * len(rules)
    certain = any(one.severity >= Severity.HIGH and one.score is None for one in findings)
    return max(total, _CERTAIN) if certain else total


def _logit(share: float) -> float:
    kept = max(1e-12, min(1 - 1e-12, share))
    return math.log(kept / (1 - kept))

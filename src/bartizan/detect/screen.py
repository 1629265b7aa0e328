"""The input screen: every text that the operator did not write, through every detector, to one verdict.

What the operator or the developer wrote is not screened: it is the instruction.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bartizan.core.findings import Finding
from bartizan.core.messages import Prompt, Trust
from bartizan.core.verdicts import Verdict
from bartizan.detect.base import Detector
from bartizan.detect.detectors import DETECTORS
from bartizan.detect.judge import Judge, decide


@dataclass(frozen=True, slots=True)
class Screened:
    """What the screen says about a prompt, and what that rests on."""

    verdict: Verdict
    findings: tuple[Finding, ...] = ()


class InputScreen:
    """Screens prompts. Holds no state between them; thread-safe."""

    def __init__(self, detectors: Sequence[Detector] = DETECTORS) -> None:
        """Use `detectors` in this order. None at all is refused: that would look like a control and be none."""
        self._judge = Judge(detectors)

    def screen(self, prompt: Prompt) -> Screened:
        """Return the verdict on everything in `prompt` that somebody other than operator and developer wrote."""
        found: list[Finding] = []
        for message in prompt.messages:
            for text in message.texts():
                if text.trust < Trust.DEVELOPER:
                    found += self._judge.judge(text).findings
        return Screened(decide(found), tuple(found))

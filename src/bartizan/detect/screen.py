"""The input screen: every text that the operator did not write, through every detector, to one verdict.

What the operator or the developer wrote is not screened: it is the instruction.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bartizan.core.findings import Finding, Severity
from bartizan.core.messages import Prompt, Trust
from bartizan.core.verdicts import Allow, Verdict
from bartizan.detect.base import Detector
from bartizan.detect.judge import Judge, decide


@dataclass(frozen=True, slots=True)
class Screened:
    """What the screen says about a prompt, and what that rests on."""

    verdict: Verdict
    findings: tuple[Finding, ...] = ()


class InputScreen:
    """Screens prompts. Holds no state between them; thread-safe."""

    def __init__(self, detectors: Sequence[Detector] | None = None) -> None:
        """Use `detectors` in this order; the shipped ones by default, which are tested first (BadSettings)."""
        self._judge = Judge(detectors)

    def screen(self, prompt: Prompt) -> Screened:
        """Return the verdict on everything in `prompt` that somebody other than operator and developer wrote."""
        found: list[Finding] = []
        verdict: Verdict = Allow()
        for message in prompt.messages:
            for text in message.texts():
                if text.trust < Trust.DEVELOPER:
                    judged = self._judge.judge(text)
                    verdict = judged.verdict if isinstance(verdict, Allow) else verdict
                    found += [one for one in judged.findings if one.severity > Severity.INFO]
        if isinstance(verdict, Allow):  # rules that fire in different texts count together
            verdict = decide([one for one in found if one.score is None])
        return Screened(verdict, tuple(found))

"""Phrases that the operator lets pass until a day: blanked out before anything judges, so what is around them counts.

An exception hides its own words and nothing else: an attack before, behind or between them is judged as ever, and the
places of findings stay true because every character is replaced by one space. Each use is a finding of its own.
"""

import datetime
from collections.abc import Sequence

from bartizan.core.clock import Clock
from bartizan.core.findings import Finding, Severity, Span
from bartizan.core.messages import Text
from bartizan.core.sections.detect import AllowedPhrase

_DAY_NS = 86_400 * 1_000_000_000
_EPOCH = datetime.date(1970, 1, 1)


class Allowlist:
    """The phrases of the settings. Thread-safe."""

    def __init__(self, phrases: Sequence[AllowedPhrase], clock: Clock) -> None:
        """Let `phrases` pass, each until the end of its last day by `clock`."""
        self._phrases = tuple(phrases)
        self._clock = clock

    def running(self) -> tuple[AllowedPhrase, ...]:
        """Return the phrases whose last day has not passed."""
        today = _EPOCH + datetime.timedelta(days=self._clock.wall_ns() // _DAY_NS)
        return tuple(one for one in self._phrases if today <= one.until)

    def without(self, text: Text) -> tuple[Text, list[Finding]]:
        """Return the text with spaces in place of the phrases, and a LOW finding for each phrase that it holds."""
        found: list[Finding] = []
        if not self._phrases:
            return text, found
        content = text.content
        for one in self.running():
            at = content.find(one.phrase)
            if at >= 0:
                content = content.replace(one.phrase, " " * len(one.phrase))
                why = f"a phrase allowed until {one.until}: {one.reason}"
                found.append(Finding("allowed-phrase", Severity.LOW, why, text.origin, Span(at, at + len(one.phrase))))
        return (Text(content, text.trust, text.origin), found) if found else (text, found)

"""Runs a screen under a deadline. A screen that crashes or takes too long has found something: its own failure.

Short prompts that a glance can judge are screened on the event loop, which costs least; long ones and those that need
a slow classifier in a thread, so that others are served meanwhile. A deadline cannot interrupt code that holds the
interpreter: then the overrun is found afterwards.
"""

import asyncio
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple, Protocol

from bartizan.core.clock import Clock
from bartizan.core.findings import Finding, Severity
from bartizan.core.messages import Prompt, ToolCall, ToolResult
from bartizan.core.sections.detect import DetectRoute
from bartizan.core.verdicts import Allow, Block, Verdict
from bartizan.detect.turns.course import Course

Mode = Literal["enforce", "monitor", "off"]
INLINE_CHARS = 8192


class Screened(Protocol):
    """What a screen says about a prompt."""

    @property
    def verdict(self) -> Verdict:
        """What to do."""
        ...

    @property
    def findings(self) -> Sequence[Finding]:
        """What was seen."""
        ...

    @property
    def course(self) -> Course | None:
        """How the conversation has gone, if that was followed."""
        ...


class Screen(Protocol):
    """Judges a whole prompt."""

    def screen(self, prompt: Prompt) -> Screened:
        """Return the verdict and what it rests on. Thread-safe."""
        ...

    def glance(self, prompt: Prompt) -> Screened | None:
        """Return the same when that takes well under a millisecond for a short prompt, else None."""
        ...


class Judged(NamedTuple):
    """What a control said, and what follows from it in its mode."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    enforced: Verdict
    course: Course | None = None
    """How the conversation has gone, for the controls on the answer."""


PASSED = Judged(Allow("control is off"), (), Allow("control is off"))


class GuardedScreen:
    """A screen with its mode, its deadline and what happens when it fails."""

    def __init__(
        self,
        screen: Screen,
        mode: Mode,
        clock: Clock,
        *,
        timeout_s: float = 2.0,
        fail_open: bool = False,
        routes: Sequence[DetectRoute] = (),
    ) -> None:
        """Guard `screen`. `fail_open` lets a request pass when the screen itself fails; it is still recorded.

        The first of `routes` that names a request's model sets the mode for it.
        """
        self._screen = screen
        self._mode: Mode = mode
        self._routes = tuple(routes)
        self._clock = clock
        self._timeout_s = timeout_s
        self._fail_open = fail_open

    async def judge(self, prompt: Prompt) -> Judged:
        """Return what the screen says, or that it failed."""
        mode = self.mode_for(prompt.model)
        if mode == "off":
            return PASSED
        began = self._clock.monotonic_ns()
        try:
            seen = self._screen.glance(prompt) if size(prompt) <= INLINE_CHARS else None
            if seen is None:
                seen = await asyncio.wait_for(asyncio.to_thread(self._screen.screen, prompt), self._timeout_s)
            if self._clock.monotonic_ns() - began > self._timeout_s * 1e9:
                raise TimeoutError
        except Exception as error:  # noqa: BLE001 - a control may fail in any way; none may open the gate
            return self._failed(error, mode)
        verdict = seen.verdict
        enforce = mode == "enforce" and not isinstance(verdict, Allow)
        return Judged(verdict, tuple(seen.findings), verdict if enforce else Allow(verdict.why), seen.course)

    def mode_for(self, model: str) -> Mode:
        """Return what the screen does for a model."""
        for route in self._routes:
            if any(fnmatchcase(model, pattern) for pattern in route.models):
                return self._mode if route.mode == "inherit" else route.mode
        return self._mode

    def _failed(self, error: Exception, mode: Mode) -> Judged:
        late = isinstance(error, TimeoutError)
        rule = "control-timeout" if late else "control-failed"
        what = f"took more than {self._timeout_s:g} s" if late else f"crashed with {type(error).__name__}"
        finding = Finding(rule, Severity.HIGH, f"the input screen {what}", "input_screen")
        verdict = Block(finding.why)
        closed = mode == "enforce" and not self._fail_open
        return Judged(verdict, (finding,), verdict if closed else Allow(finding.why))


def size(prompt: Prompt) -> int:
    """Return roughly how many characters a screen has to read."""
    total = 0
    for tool in prompt.tools:
        total += len(tool.description) + len(tool.schema)
    for message in prompt.messages:
        for part in message.parts:
            text = part.text if isinstance(part, ToolResult) else part
            total += len(text.arguments if isinstance(text, ToolCall) else text.content)
    return total

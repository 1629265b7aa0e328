"""The input screen: every text that the operator did not write, through every detector, to one verdict.

What the operator or the developer wrote is not screened: it is the instruction. A user's last turns are also judged
together, because an attack may be split over them, and the course of the whole conversation is followed (`turns`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from bartizan.core.clock import Clock, SystemClock
from bartizan.core.findings import Finding, Severity
from bartizan.core.messages import Message, Prompt, Role, Text, Trust
from bartizan.core.sections.detect import Budget, Detect
from bartizan.core.verdicts import Allow, Block, Verdict
from bartizan.detect.allowlist import Allowlist
from bartizan.detect.base import Detector, NeedsTime
from bartizan.detect.classifier import Classifier
from bartizan.detect.detectors import detectors as every_detector
from bartizan.detect.detectors import rules
from bartizan.detect.judge import Judge, decide, log_odds
from bartizan.detect.memo import BEGINNING, Memo, passed
from bartizan.detect.turns.course import Course
from bartizan.detect.turns.odds import Odds, load
from bartizan.detect.turns.reading import as_judged, followed

TURNS, TURN_CHARACTERS = 8, 8_000
"""How many of a user's last turns are judged together, and how long they may be in all."""
_PLAIN = Detect()


@dataclass(frozen=True, slots=True)
class Screened:
    """What the screen says about a prompt, and what that rests on."""

    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    course: Course | None = field(default=None, compare=False)
    """How the conversation has gone, for whoever judges the answer; None where conversations are not followed."""


class InputScreen:
    """Screens prompts. Keeps judgements on what it has read, nothing else; thread-safe."""

    def __init__(
        self, detectors: Sequence[Detector] | None = None, settings: Detect = _PLAIN, clock: Clock | None = None
    ) -> None:
        """Use `detectors`, or those that the settings name, which are tested first (BadSettings, BadArtifact)."""
        self._settings = settings
        self._allowed = Allowlist(settings.allow, clock or SystemClock())
        budgets: set[Budget] = {settings.budget, "0.1%"}
        budgets.update(one.budget for one in settings.routes if one.budget != "inherit")
        self._judges: dict[Budget, Judge] = {}
        self._glances: dict[Budget, Judge] = {}
        self._memos = {budget: Memo() for budget in budgets}
        self._odds: dict[Budget, Odds] = {}
        for budget in sorted(budgets):
            used = named(settings, budget) if detectors is None else detectors
            self._judges[budget] = Judge(used)
            self._odds[budget] = load(settings.model, budget if settings.classifier == "on" else "rules")
            self._glances[budget] = Judge([one.glancing() if isinstance(one, Classifier) else one for one in used])

    def screen(self, prompt: Prompt) -> Screened:
        """Return the verdict on everything in `prompt` that somebody other than operator and developer wrote."""
        return self._screened(prompt, self._judges)

    def glance(self, prompt: Prompt) -> Screened | None:
        """Return the same when that takes no more than a moment; None for a prompt that needs the slow classifier."""
        try:
            return self._screened(prompt, self._glances)
        except NeedsTime:
            return None

    def _screened(self, prompt: Prompt, judges: Mapping[Budget, Judge]) -> Screened:
        budget = self._budget(prompt.model)
        judge, memo, after = judges[budget], self._memos[budget], BEGINNING
        found: list[Finding] = []
        margins: dict[Text, float] = {}
        verdict: Verdict = Allow()
        for message in prompt.messages:
            for text in as_judged(message):
                if text.trust >= Trust.DEVELOPER:
                    after = passed(text, after)
                    continue
                judged_text, allowed = self._allowed.without(text)
                judged, after = memo.judge(judge, judged_text, after)
                margins[text] = log_odds(judged.findings)
                verdict = judged.verdict if isinstance(verdict, Allow) else verdict
                found += allowed
                found += [one for one in judged.findings if one.severity > Severity.INFO]
        if found and isinstance(verdict, Allow):  # rules that fire in different texts count together
            verdict = decide([one for one in found if one.score is None])
        if not self._settings.conversation:
            return Screened(verdict, tuple(found))
        if isinstance(verdict, Allow):
            verdict = self._together(prompt, found, judges["0.1%"])
        course = self._followed(prompt, margins, judge, self._odds[budget])
        found += course.findings()
        if course.over and isinstance(verdict, Allow):
            verdict = Block(course.why())
        return Screened(verdict, tuple(found), course)

    def _followed(self, prompt: Prompt, margins: Mapping[Text, float], judge: Judge, odds: Odds) -> Course:
        def joined(content: str) -> float:
            return log_odds(judge.judge(self._allowed.without(Text(content, Trust.USER))[0]).findings)

        return followed(prompt.messages, margins.__getitem__, odds, joined)

    def _budget(self, model: str) -> Budget:
        for route in self._settings.routes:
            if any(fnmatchcase(model, pattern) for pattern in route.models):
                return self._settings.budget if route.budget == "inherit" else route.budget
        return self._settings.budget

    def _together(self, prompt: Prompt, found: list[Finding], judge: Judge) -> Verdict:
        """Return the verdict on a user's last turns as one text: at the stricter budget, for it comes on top."""
        users = [message for message in prompt.messages if message.role is Role.USER]
        turns = last_turns(users) if len(users) > 1 else []
        if len(turns) < 2:
            return Allow()
        whole = Text("\n".join(turns), Trust.USER, "the last turns together")
        judged = judge.judge(self._allowed.without(whole)[0])
        if isinstance(judged.verdict, Allow):
            return Allow()
        found += [
            replace(one, why=f"over several turns: {one.why}", span=None)
            for one in judged.findings
            if one.severity > Severity.INFO
        ]
        return Block(f"over several turns: {judged.verdict.why}")


def named(settings: Detect, budget: Budget) -> Sequence[Detector]:
    """Return the detectors that the settings name, tested (BadSettings, BadArtifact)."""
    return every_detector(budget, settings.model) if settings.classifier == "on" else rules()


def last_turns(messages: Sequence[Message]) -> list[str]:
    """Return what the user said last, turn by turn in order, as much as is judged together."""
    turns: list[str] = []
    room = TURN_CHARACTERS
    for message in reversed(messages):
        said = "\n".join(text.content for text in message.texts() if text.trust is Trust.USER)
        if message.role is not Role.USER or not said:
            continue
        room -= len(said)
        if room < 0 or len(turns) == TURNS:
            break
        turns.append(said)
    return turns[::-1]

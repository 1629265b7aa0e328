"""Direct prompt injection by an adaptive attacker, bounded in tries.

The attacker knows the techniques, learns from goal to goal which of them work on this target, and knows the control: a
copy of it (`screen`) is asked for free, offline, and only wordings that pass it are sent (Kerckhoffs's principle; Nasr
et al. 2025, "The Attacker Moves Second"). Attacks never score themselves: the case's oracle decides.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bartizan.core.messages import Prompt
from bartizan.core.verdicts import Allow, Verdict
from bartizan.lab.cases import Case
from bartizan.lab.chat import Answered, Chat, Failed
from bartizan.lab.techniques import DISGUISES, TECHNIQUES

Screen = Callable[[Prompt], Verdict]


def no_screen(prompt: Prompt) -> Verdict:
    """Stand for a target without a control."""
    del prompt
    return Allow()


@dataclass(frozen=True, slots=True)
class Try:
    """One request of the attacker and what became of it."""

    technique: str
    prompt: Prompt
    answer: str
    blocked: bool
    succeeded: bool
    why: str
    receipt: str = ""


@dataclass(frozen=True, slots=True)
class Attacked:
    """All tries at one case, in order. The last one succeeded if any did."""

    case: Case
    tries: tuple[Try, ...]
    failures: tuple[str, ...] = ()
    """Requests that got no answer to judge."""

    @property
    def succeeded(self) -> bool:
        """Whether the attacker got what was wanted."""
        return any(one.succeeded for one in self.tries)

    @property
    def untested(self) -> bool:
        """Whether no try got an answer."""
        return not self.tries


class AdaptiveInjector:
    """Carries what worked from one case to the next. Deterministic for a seed and a deterministic target."""

    def __init__(self, chat: Chat, *, screen: Screen = no_screen, tries: int = 3, seed: int = 0) -> None:
        """Attack `chat` with at most `tries` requests a case; `screen` is the attacker's own copy of the control."""
        self._chat, self._screen, self._tries, self._seed = chat, screen, tries, seed
        self._wins: Counter[str] = Counter()
        self._losses: Counter[str] = Counter()

    def attack(self, case: Case) -> Attacked:
        """Try wordings at `case` until one succeeds or the tries are spent."""
        tries: list[Try] = []
        failures: list[str] = []
        for name, prompt in self._wordings(case):
            outcome = self._chat.ask(prompt)
            match outcome:
                case Failed(why=why):
                    failures.append(why)
                case Answered(reply=reply, blocked=blocked, receipt=receipt):
                    judged = case.oracle.judge(prompt, reply)
                    tries.append(Try(name, prompt, reply.text, blocked, judged.succeeded, judged.why, receipt))
                    (self._wins if judged.succeeded else self._losses)[name] += 1
            if len(tries) + len(failures) >= self._tries or (tries and tries[-1].succeeded):
                break
        return Attacked(case, tuple(tries), tuple(failures))

    def _wordings(self, case: Case) -> Iterator[tuple[str, Prompt]]:
        """Yield what to send: what worked before first, wordings that the screen stops last."""
        draw = random.Random(f"{self._seed}-{case.id}")
        named = [
            (
                f"{technique.name}, {disguise.name}" if disguise is not DISGUISES[0] else technique.name,
                technique,
                disguise,
            )
            for disguise in DISGUISES
            for technique in TECHNIQUES
        ]
        rank = {name: draw.random() for name, _, _ in named}
        # Undisguised wordings come first among the untried: they cost a weak reader nothing.
        named.sort(key=lambda one: (-self._promise(one[0]), one[2] is not DISGUISES[0], rank[one[0]]))
        stopped: list[tuple[str, Prompt]] = []
        for name, technique, disguise in named:
            prompt = case.prompt(disguise.change(technique.text(case)))
            if isinstance(self._screen(prompt), Allow):
                yield name, prompt
            else:
                stopped.append((name, prompt))
        yield from stopped

    def _promise(self, name: str) -> float:
        """Return the expected success of a wording from what it did so far (Laplace's rule; 1/2 when untried)."""
        return (self._wins[name] + 1) / (self._wins[name] + self._losses[name] + 2)


def success_rate(attacked: Sequence[Attacked]) -> tuple[int, int]:
    """Return (successes, cases that could be tested)."""
    tested = [one for one in attacked if not one.untested]
    return sum(one.succeeded for one in tested), len(tested)

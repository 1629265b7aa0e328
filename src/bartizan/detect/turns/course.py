"""How a conversation goes, turn by turn: each thing alone is everyday, together they stop it.

A user's turns add up in a sum with a decaying memory (CUSUM, Page 1954) of how seldom an innocent turn looks as odd.
Beside it stand signs of what goes on between turns: more and more is wanted behind a turn that looked odd, parts are
put together, a refusal is reworded, the model gave in, spoke as somebody else, began as it was told to, gave its
instructions away, called a new tool behind a text that looked odd. Each counts as it is seldom in innocent
conversations (`odds.py`), at most `MOST` nats, and fades; their sum is compared with a threshold that was measured.
Parts that together are a text which the detectors block are that text: no sum is needed.

What the client says the model answered may be made up. That changes nothing here: an answer in the history that gives
what an odd request wanted speaks against the conversation, whoever wrote it, and a made-up refusal speaks for nothing.
"""

import copy
import math
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from bartizan.core.findings import Finding, Severity, Span
from bartizan.core.messages import Role
from bartizan.detect.turns import requests
from bartizan.detect.turns.odds import Odds
from bartizan.detect.turns.refusals import FEWEST, OPENING, refusal
from bartizan.detect.turns.splitting import joined, kept, parts_in

MOST = 5.0
"""Nats of one sign: none alone reaches the threshold."""
SLACK = 1.4
"""What each turn takes from the sum: an innocent turn adds 1 on average."""
LINE = ("rising", "goes-on", "complied")
"""Signs that all follow how odd the turns look: added up, they would count the same thing three times."""
MEMORY = 0.85
"""What is left of the sum, and of the oddness of a turn, one turn later."""
FADES = 0.92
"""What is left of a sign one turn of the user later."""
ODD = 2.0
"""Nats from which a turn looks odd: one in seven innocent turns does."""
ALIKE = 0.5
"""Share of a request's words in an earlier one from which it is that one again."""
_REMEMBERED = 6
_GRAM = 6
_WORD = re.compile(r"\w+")
_SAYS = {
    "rising": "the user's turns together look odder than those of an innocent conversation",
    "goes-on": "goes on, again and again, from what was said around turns that looked odd",
    "joined": "puts together, of parts from earlier turns, a text that looks like an attack",
    "reworded": "asks in other words for what was refused",
    "complied": "the model did not refuse requests that looked odd",
    "role-change": "the answer speaks as somebody else, or without rules",
    "echo": "the answer begins with words that the user dictated",
    "gave-prompt": "the answer holds runs of words of the operator's instructions",
    "tool-tried": "the model called a tool for the first time behind a text that looked odd",
}


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn, as judged alone. `margin`: log odds that the detectors give its worst text, 0 is the threshold."""

    number: int
    role: Role
    text: str
    margin: float
    tools: tuple[str, ...] = ()
    """Tools that an answer calls."""
    origin: str = ""
    ours: bool = False
    """An answer that is known to be the model's: what it says is no text that a client could have written."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing that speaks against a conversation: in which turn, at which characters, and how many nats."""

    name: str
    turn: int
    nats: float
    span: Span | None = None
    origin: str = ""

    def finding(self, severity: Severity) -> Finding:
        """Return it as a finding that a person can read."""
        why = f"turn {self.turn}: {_SAYS[self.name]} ({self.nats:.1f} nats)"
        return Finding(f"turns-{self.name}", severity, why, self.origin, self.span)


@dataclass(slots=True)
class _Asked:
    """What is remembered of the user's last turn."""

    heat: float = 0.0
    gist: frozenset[str] = frozenset()
    dictated: tuple[str, ...] = ()


@dataclass
class Course:
    """A conversation so far. Take its turns in order; not thread-safe."""

    odds: Odds
    judged: Callable[[str], float]
    """Returns the log odds of a text that a user put together."""
    operator: Sequence[str] = ()
    """What the operator wrote for the model."""
    signs: dict[str, Sign] = field(default_factory=dict)
    whole: int | None = None
    """The turn that put parts together to a text which the detectors block."""
    strengths: dict[str, float] = field(default_factory=dict)
    """The greatest strength that each sign had: what calibration counts."""
    _sum: float = 0.0
    _warmth: float = 0.0
    _last: int = 0
    """Number of the last turn."""
    _pull: float = 0.0
    """How much was wanted behind odd turns, with the same memory."""
    _given: float = 0.0
    """How much was given of what looked odd."""
    _turns: int = 0
    _asked: _Asked = field(default_factory=_Asked)
    _refused: tuple[frozenset[str], ...] = ()
    _parts: dict[str, str] = field(default_factory=dict)
    _names: frozenset[str] = frozenset()
    _tools: frozenset[str] = frozenset()
    _tainted: float = 0.0

    @property
    def nats(self) -> float:
        """Return how much speaks against the conversation: of signs that follow the same heat, the strongest counts."""
        line = max((sign.nats for name, sign in self.signs.items() if name in LINE), default=0.0)
        rest = sum(min(sign.nats, MOST) for name, sign in self.signs.items() if name not in LINE)
        return min(line, MOST) + rest

    @property
    def over(self) -> bool:
        """Return whether that is more than an innocent conversation shows, or parts together were an attack."""
        return self.whole is not None or self.nats >= self.odds.threshold

    @property
    def could_tip(self) -> bool:
        """Return whether an answer that gives in would take it over the threshold."""
        return self._asked.heat >= ODD and not self.over and self.after(self._worst_answer()).over

    def after(self, opening: str) -> "Course":
        """Return the course with an answer of the model that opens like this behind it; this one stays as it is."""
        other = copy.copy(self)
        other.signs, other.strengths = dict(self.signs), dict(self.strengths)
        other.take(Turn(self._last + 1, Role.ASSISTANT, opening, -math.inf, ours=True))
        return other

    def _worst_answer(self) -> str:
        """Return an opening that gives in, in every way that was asked for."""
        name = next(iter(sorted(self._names)), "")
        return f"{next(iter(self._asked.dictated), '')}\n{name}: I have no rules. ".ljust(OPENING, "x")

    def take(self, turn: Turn) -> None:
        """Take the next turn."""
        self._last = turn.number
        if turn.role is Role.USER:
            self._user(turn)
        elif turn.role is Role.ASSISTANT:
            self._answer(turn)
        elif turn.role is Role.TOOL:
            self._tainted = max(self._tainted, self.odds.document.of(turn.margin))

    def findings(self) -> list[Finding]:
        """Return the signs, the heaviest first: as reasons once it is over, as remarks from half of that on."""
        if not self.over and self.nats < self.odds.threshold / 2:
            return []
        severity = Severity.MEDIUM if self.over else Severity.LOW
        heavy = sorted(self.signs.values(), key=lambda one: -one.nats)
        return [one.finding(severity) for one in heavy if one.nats >= 1.0]

    def why(self) -> str:
        """Return in one sentence what is wrong with the conversation."""
        if self.whole is not None:
            return f"over the conversation: parts that turn {self.whole} puts together are an attack"
        heavy = sorted(self.signs.values(), key=lambda one: -one.nats)[:4]
        named = ", ".join(f"{one.name} (turn {one.turn})" for one in heavy)
        return f"over the conversation: {named}: {self.nats:.1f} nats of {self.odds.threshold:.1f}"

    def _user(self, turn: Turn) -> None:
        self._turns += 1
        self._tainted = 0.0
        self.signs = {name: _faded(sign) for name, sign in self.signs.items()}
        odd = self.odds.turn.of(turn.margin)
        before = self._warmth
        back, more = requests.goes_back(turn.text), requests.wants_more(turn.text)
        self._pull *= MEMORY
        if before >= ODD and (back or more):
            self._pull += before + (ODD if more else 0.0)
            self._note("goes-on", self._pull, turn, more or back)
        odd = max(odd, self._put_together(turn))
        self._sum = max(0.0, MEMORY * self._sum + odd - SLACK)
        if self._turns > 1 and self._sum > 0:
            self._note("rising", self._sum, turn)
        gist = requests.gist(turn.text)
        again = sum(requests.likeness(gist, one) >= ALIKE for one in self._refused)
        if again:
            self._note("reworded", float(again), turn)
        self._warmth = max(odd, MEMORY * before)
        self._names |= frozenset(requests.parts_to_play(turn.text))
        heat = max(odd, before if back or more else 0.0, ODD if again else 0.0)
        self._asked = _Asked(heat, gist, tuple(one.words for one in requests.dictated(turn.text)))

    def _put_together(self, turn: Turn) -> float:
        """Return how seldom the worst text is that a turn joins of parts; 0 when it joins none."""
        new = parts_in(turn.text)
        self._parts = kept(self._parts, new)
        texts = joined(turn.text, self._parts)
        margin = max(map(self.judged, texts), default=-math.inf)
        if margin >= 0:
            self.whole = turn.number
        odd = self.odds.turn.of(margin)
        if odd > self.odds.turn.of(turn.margin):
            self._note("joined", odd, turn)
            return odd
        return 0.0

    def _answer(self, turn: Turn) -> None:
        asked, opening = self._asked, turn.text[:OPENING]
        if self.operator and (many := shared_runs(turn.text, self.operator)):
            self._note("gave-prompt", float(many), turn)
        new = frozenset(turn.tools) - self._tools
        if new and self._tools and self._tainted >= ODD:
            self._note("tool-tried", self._tainted, turn)
        self._tools |= frozenset(turn.tools)
        if refusal(opening):
            self._refused = (*self._refused, asked.gist)[-_REMEMBERED:]
            return
        odd = 0.0 if turn.ours else self.odds.answer.of(turn.margin)
        heat = max(asked.heat, odd)
        if heat >= ODD and len(opening.strip()) >= FEWEST:
            self._given = MEMORY * self._given + heat
            self._warmth = max(self._warmth, odd)
            self._note("complied", self._given, turn)
        if asked.heat >= ODD:
            self._played(turn, opening)

    def _played(self, turn: Turn, opening: str) -> None:
        """Note whether the answer to an odd request plays the part that was asked for."""
        heat = self._asked.heat
        if label := requests.speaks_as(opening, self._names) or requests.denies_rules(opening):
            self._note("role-change", heat, turn, label)
        for words in self._asked.dictated:
            if requests.echoes(opening, words):
                self._note("echo", heat, turn, Span(0, min(len(opening), len(words))))

    def _note(self, name: str, strength: float, turn: Turn, span: Span | None = None) -> None:
        self.strengths[name] = max(self.strengths.get(name, 0.0), strength)
        nats = self.odds.seldom(name, strength)
        if name not in self.signs or nats >= self.signs[name].nats:
            self.signs[name] = Sign(name, turn.number, nats, span, turn.origin)


def _faded(sign: Sign) -> Sign:
    return Sign(sign.name, sign.turn, sign.nats * FADES, sign.span, sign.origin)


def shared_runs(answer: str, operator: Collection[str]) -> int:
    """Return how many runs of six words of an answer stand in the operator's texts too."""
    said = _runs(answer)
    return sum(run in said for text in operator for run in _runs(text)) if said else 0


def _runs(text: str) -> set[tuple[str, ...]]:
    words = _WORD.findall(text.casefold())
    return {tuple(words[at : at + _GRAM]) for at in range(len(words) - _GRAM + 1)}

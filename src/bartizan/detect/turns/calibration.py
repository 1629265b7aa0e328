"""What innocent conversations look like: the curves of single turns and of signs, and the threshold of their sum.

Half of the conversations of each kind draw the curves, the other half measures the sum; the threshold keeps half of the
named budget, as that of single texts does. A conversation counts once: for the worst of its beginnings, because each
of them was a request of its own.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from bartizan.core.messages import Message, Role, Text, Trust
from bartizan.detect.calibration import BUDGETS
from bartizan.detect.judge import Judge, log_odds
from bartizan.detect.turns.course import MOST, Course, Turn
from bartizan.detect.turns.odds import SIGNS, Curve, Odds, tail
from bartizan.detect.turns.reading import turns

Conversation = Sequence[Message]
_FEWEST = 20


class Margins:
    """The log odds of texts, each judged once."""

    def __init__(self, judge: Judge) -> None:
        """Ask `judge`."""
        self._judge = judge
        self._known: dict[tuple[str, int], float] = {}

    def of(self, text: Text) -> float:
        """Return the log odds of a text against the threshold of the budget."""
        key = (text.content, int(text.trust))
        if key not in self._known:
            self._known[key] = log_odds(self._judge.judge(text).findings)
        return self._known[key]


def odds(kinds: Mapping[str, Sequence[Conversation]], judge: Judge, budget: str, documents: Sequence[Text]) -> Odds:
    """Return the odds that innocent conversations by kind show; `documents` are innocent answers of tools.

    Raises ValueError for fewer than `_FEWEST` conversations of a kind.
    """
    few = [name for name, many in kinds.items() if len(many) < _FEWEST]
    if few or not kinds:
        raise ValueError(f"{few or 'no kinds'}: expected at least {_FEWEST} innocent conversations of each kind")
    margins = Margins(judge)
    read = {name: [list(turns(one, margins.of)) for one in many] for name, many in kinds.items()}
    draw = [one for many in read.values() for one in many[::2]]
    measure = [one for many in read.values() for one in many[1::2]]
    turn = Curve.drawn([one.margin for many in draw for one in many if one.role is Role.USER])
    document = Curve.drawn([margins.of(one) for one in documents])
    answer = Curve.drawn([one.margin for many in draw for one in many if one.role is Role.ASSISTANT])
    joined = _joined(margins)
    first = Odds(turn, document, answer)
    strengths: dict[str, list[float]] = defaultdict(list)
    for one in draw:
        seen = course(one, first, joined)[1]
        for sign in SIGNS:
            strengths[sign].append(seen.strengths.get(sign, 0.0))
    curves = {sign: Curve.drawn(many) if any(many) else Curve() for sign, many in strengths.items()}  # () never seen
    second = Odds(turn, document, answer, curves)
    sums = [course(one, second, joined)[0] for one in measure]
    least = MOST + 0.5  # no sign stops a conversation alone, whatever the innocent ones show
    return Odds(turn, document, answer, curves, max(least, tail(sums, BUDGETS.get(budget, BUDGETS["1%"]))))


def course(read: Sequence[Turn], given: Odds, joined: Callable[[str], float]) -> tuple[float, Course]:
    """Return the greatest sum of nats that a conversation reaches, and its course to the end."""
    followed = Course(given, joined)
    worst = 0.0
    for one in read:
        followed.take(one)
        worst = max(worst, followed.nats)
    return worst, followed


def _joined(margins: Margins) -> Callable[[str], float]:
    return lambda text: margins.of(Text(text, Trust.USER))

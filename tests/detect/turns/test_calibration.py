"""Calibration keeps the budget on conversations that it did not draw from, and refuses too few."""

import random

import pytest

from bartizan.core.messages import Role, Text, Trust
from bartizan.detect.detectors import rules
from bartizan.detect.judge import Judge
from bartizan.detect.turns.calibration import Margins, course, odds
from bartizan.detect.turns.course import MOST
from bartizan.detect.turns.reading import turns
from bartizan.lab.turns import LEARNT, conversation, innocent

PAGES = [Text("The shop opens at nine.", Trust.TOOL)] * 3


def test_innocent_conversations_stay_below_the_threshold_and_no_sign_reaches_it_alone():
    """With the rules alone, which are quick."""
    draw = random.Random(3)
    judge = Judge(rules())
    kinds = {kind: [innocent(kind, draw) for _ in range(24)] for kind in LEARNT}
    found = odds(kinds, judge, "1%", PAGES)
    margins = Margins(judge)

    def worst(messages):
        joined = lambda text: margins.of(Text(text, Trust.USER))  # noqa: E731
        return course(list(turns(messages, margins.of)), found, joined)[0]

    others = [innocent(kind, draw) for kind in LEARNT for _ in range(20)]
    few = len(others) // 20  # 84 conversations that draw the curves can promise no more
    assert sum(worst(one) >= found.threshold for one in others) <= few
    assert sum(worst(one) >= 0.0 for one in others) > few
    assert found.threshold > MOST


def test_too_few_conversations_are_refused():
    """A threshold of a handful says nothing."""
    few = {"talk": [conversation([(Role.USER, "Hello")])] * 3}
    for kinds in (few, {}):
        with pytest.raises(ValueError, match="at least 20"):
            odds(kinds, Judge(rules()), "1%", PAGES)

"""The meter rises with what was told, adds up nothing from nothing, and is a floor under a real copy."""

import numpy as np
from tests.gateway.predict.traffic import honest, scores_of, sketch

from bartizan.gateway.predict.exposure import FEWEST, Exposure


def after(count):
    """The estimate after so many honest questions."""
    meter = Exposure(10)
    x = honest()[1][:count]
    meter.add(sketch().place(x), scores_of(x).argmax(axis=1))
    return meter.estimate(sketch())


def test_the_estimate_rises_with_what_was_told():
    """Near chance after 20, far above after 500."""
    few, many = after(FEWEST), after(500)
    assert few < 0.7 < many
    assert after(FEWEST - 1) == 0


def test_a_caller_who_is_told_nothing_new_learns_nothing_new():
    """The same question 500 times is no copy."""
    meter = Exposure(10)
    x = np.repeat(honest()[1][:1], 500, axis=0)
    meter.add(sketch().place(x), scores_of(x).argmax(axis=1))
    assert meter.estimate(sketch()) < 0.3


def test_an_estimate_is_due_when_a_quarter_more_was_asked():
    """Not at each question."""
    meter = Exposure(10)
    x = honest()[1][:200]
    places, labels = sketch().place(x), scores_of(x).argmax(axis=1)
    due = [meter.add(places[row : row + 1], labels[row : row + 1]) for row in range(200)]
    assert due.index(True) == FEWEST - 1
    assert 8 <= sum(due) <= 12

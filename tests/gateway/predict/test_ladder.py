"""Strikes are forgotten, answers rise by the ladder, and who asks much is known."""

import pytest

from bartizan.core.sections.predict import PredictStep
from bartizan.gateway.predict.ladder import Asked, Strikes, harsher, reached

STEPS = (PredictStep(1, "record"), PredictStep(3, "block"))


@pytest.mark.parametrize(
    ("strikes", "expected"), [(0, None), (1, "record"), (2, "record"), (3, "block"), (99, "block")]
)
def test_the_last_step_that_is_reached_counts(strikes, expected):
    """Nothing before the first."""
    assert reached(STEPS, strikes) == expected


def test_the_harsher_answer_wins_in_either_order():
    """No answer is the mildest, suspension the harshest."""
    assert harsher(None, "labels") == harsher("labels", None) == "labels"
    assert harsher("suspend", "block") == harsher("block", "suspend") == "suspend"


def test_strikes_are_forgotten_and_counted_by_key():
    """At the end of the time, not before."""
    strikes = Strikes(100.0)
    assert [strikes.add("eve", at) for at in (0.0, 50.0, 120.0)] == [1, 2, 2]
    assert strikes.count("eve", 150.0) == 2
    assert strikes.count("eve", 220.5) == 0
    assert strikes.count("bob", 0.0) == 0


def test_what_was_asked_fades():
    """By 1/e in the time that is remembered."""
    asked = Asked(100.0)
    for _ in range(10):
        asked.add("bob", 0.0)
    assert asked.count("bob", 0.0) == 10
    assert asked.count("bob", 100.0) == pytest.approx(3.679, abs=1e-3)
    assert asked.count("eve", 0.0) == 0

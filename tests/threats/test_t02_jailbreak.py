"""T02: holds behind the shipped screen, fails behind none and behind one that blocks everything."""

import pytest
from tests.threats.benches import bench

from bartizan.core.verdicts import Allow, Block
from bartizan.detect.screen import InputScreen
from bartizan.threats.base import State, prove
from bartizan.threats.bench import Bench
from bartizan.threats.t02_jailbreak import MECHANISMS, T02


def behind(screen, **more):
    """Return the row behind a screen."""
    usual = bench()
    return prove(T02, Bench(usual.bare, usual.guarded, screen, 5, True, **more))


def test_the_shipped_screen_stops_most_as_drawn_and_a_search_gets_through():
    """The curve rises with the queries, and is shown."""
    records = []
    shipped = InputScreen()
    row = behind(lambda prompt: shipped.screen(prompt).verdict, record=lambda kind, body: records.append(body))
    curve = [row.evidence.measured[f"reaches the model after {n} queries"].value for n in (0, 50, 500)]
    assert curve == sorted(curve)
    assert curve[0] < 0.3
    assert {body["mechanism"] for body in records} == set(MECHANISMS)


@pytest.mark.parametrize(
    ("verdict", "broken"), [(Allow(), "Fewer than half of the jailbreaks"), (Block("no"), "Benign requests pass")]
)
def test_no_control_and_a_control_that_stops_everything_both_fail(verdict, broken):
    """Neither is a defence."""
    row = behind(lambda prompt: verdict)
    assert row.state is State.FAILED
    assert broken in row.why

"""T02: holds behind the shipped screen, fails behind none and behind one that blocks everything."""

import pytest
from tests.threats.benches import bench

from bartizan.core.errors import BadSettings
from bartizan.core.measures import proportion
from bartizan.core.verdicts import Allow, Block
from bartizan.detect.screen import InputScreen
from bartizan.lab.mutation_search import Found
from bartizan.threats import t02_jailbreak
from bartizan.threats.base import State, prove
from bartizan.threats.bench import Bench
from bartizan.threats.in_pictures import Pictured
from bartizan.threats.t02_jailbreak import DRAWN, HONEST, MECHANISMS, QUERIES, T02


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch):
    """Pictures are drawn and read in a test of their own."""

    def missing(attacks, bench):
        raise BadSettings("not installed", hint="pip install it")

    monkeypatch.setattr(t02_jailbreak, "in_pictures", missing)


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


@pytest.fixture
def no_search(monkeypatch):
    """The search finds nothing better, at once."""
    monkeypatch.setattr(t02_jailbreak, "search", lambda text, *_: [Found(text, 0.5, 0)] * len(QUERIES))


@pytest.mark.usefixtures("no_search")
def test_pictures_that_cannot_be_read_are_reported_as_not_measured():
    """No claim is checked on them, and a note says why."""
    row = behind(lambda prompt: Block("no"))
    assert not any("pictures" in claim.text for claim in row.claims)
    assert any("not measured: not installed (pip install it)" in note for note in row.evidence.notes)


@pytest.mark.usefixtures("no_search")
def test_drawn_jailbreaks_that_pass_break_the_claim(monkeypatch):
    """What is measured is claimed."""
    share = proportion(15, 16, seed=5)
    found = Pictured(share, proportion(0, 28, seed=5), {"plain": share})
    monkeypatch.setattr(t02_jailbreak, "in_pictures", lambda attacks, bench: found)
    row = behind(lambda prompt: Allow())
    assert row.evidence.measured[DRAWN] is share
    assert row.evidence.measured[HONEST].value == 0
    assert "drawn into them pass" in row.why

"""T04 holds on the digits with the checks, and fails when the checks see nothing or everything."""

import numpy as np
import pytest
from tests.threats.benches import bench

from bartizan.data.checks.base import Checked
from bartizan.lab.poisoning.pictures import AdaptiveBlend, AdaptivePatch
from bartizan.lab.poisoning.texts import TEXT_ATTACKS
from bartizan.threats import t04_data_poisoning
from bartizan.threats.base import State, prove


@pytest.fixture(autouse=True)
def two_attacks(monkeypatch):
    """The strongest attack and the one that hides in one class: the whole list takes a minute."""
    plans = ((AdaptivePatch(), 0.02), (AdaptiveBlend(sources=1), 0.02))
    monkeypatch.setattr(t04_data_poisoning, "PLANS", plans)
    monkeypatch.setattr(t04_data_poisoning, "WORDS", ((TEXT_ATTACKS[2], 0.02),))
    monkeypatch.setattr(t04_data_poisoning, "SOUNDS", t04_data_poisoning.SOUNDS[:1])
    monkeypatch.setattr(t04_data_poisoning, "BEYOND", ())
    monkeypatch.setattr(t04_data_poisoning, "CROWDS", t04_data_poisoning.CROWDS[:1])
    monkeypatch.setattr(t04_data_poisoning, "SPREAD", ())
    monkeypatch.setattr(t04_data_poisoning, "ROUNDS", 8)


def test_backdoors_work_without_the_checks_and_not_with_them():
    """Every claim, every attack recorded by family."""
    row = prove(t04_data_poisoning.T04, bench())
    assert row.state is State.HOLDS, row.why
    assert row.evidence.off.value > 0.9
    families = {
        "adaptive patch at 2%",
        "adaptive blend, 1 source class at 2%",
        "phrase, in texts",
        "beep, in sounds",
        "crowd within an hour",
    }
    assert set(row.evidence.families) == families
    off, on = row.evidence.families["phrase, in texts"]
    assert off.value > 0.9 > 0.05 > on.value
    off, on = row.evidence.families["crowd within an hour"]
    assert off.value > 0.9 > 0.2 > on.value


def test_checks_that_see_nothing_fail(monkeypatch):
    """The claims can be broken."""

    def blind(pictures, labels, *, seed=0):
        return Checked("x", np.zeros(len(labels)), np.zeros(len(labels), bool))

    monkeypatch.setattr(t04_data_poisoning, "check_pictures", blind)
    row = prove(t04_data_poisoning.T04, bench())
    assert row.state is State.FAILED
    assert "no backdoor works" in row.why


def test_a_check_that_hears_nothing_fails(monkeypatch):
    """The network obeys the beep with it as without."""

    def deaf(sounds, rate, labels, *, seed=0):
        return Checked("x", np.zeros(len(labels)), np.zeros(len(labels), bool))

    monkeypatch.setattr(t04_data_poisoning, "check_sounds", deaf)
    off, on = t04_data_poisoning._heard(t04_data_poisoning.SOUNDS[0], 1)
    assert off.mean() > 0.5
    assert on.mean() > 0.5


def test_a_check_that_sees_no_crowd_fails(monkeypatch):
    """Every item is turned with it as without."""

    def blind(accounts, items, votes, times):
        return Checked("x", np.zeros(len(votes)), np.zeros(len(votes), bool))

    monkeypatch.setattr(t04_data_poisoning, "check_feedback", blind)
    off, on = t04_data_poisoning._voted(t04_data_poisoning.CROWDS[0], 1)
    assert off.all()
    assert on.all()

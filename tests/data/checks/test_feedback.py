"""Crowds are found by what they vote together and by bursts; honest tastes and honest bursts raise no alarm."""

import numpy as np
import pytest

from bartizan.data.checks.feedback import LEAST_ROWS, check_feedback
from bartizan.lab.poisoning.feedback import FEEDBACK_ATTACKS, Crowd, honest_feedback


def checked(given, *, times=True):
    """The check on votes of the lab."""
    when = given.times if times else None
    return check_feedback(given.accounts.tolist(), given.items.tolist(), given.votes.tolist(), when)


def test_honest_votes_raise_no_alarm():
    """Though accounts have tastes and new items draw bursts."""
    for seed in range(4):
        found = checked(honest_feedback(500, 150, 6000, np.random.default_rng(seed)))
        assert found.alarms == ()
        assert not found.flagged.any()


@pytest.mark.parametrize("attack", FEEDBACK_ATTACKS[:4], ids=lambda one: one.name)
def test_a_crowd_that_votes_on_the_same_items_is_flagged(attack):
    """With all its votes, the honest-looking ones too, and hardly anybody else."""
    honest = honest_feedback(500, 150, 6000, np.random.default_rng(9))
    planted = attack.poison(honest, np.random.default_rng(1))
    found = checked(planted)
    assert found.flagged[planted.poison].mean() > 0.95
    assert found.flagged[~planted.poison].mean() < 0.005
    assert set(found.reasons) == set(np.flatnonzero(found.flagged))
    assert "accounts give the same votes on" in found.alarms[0]


def test_votes_at_once_that_say_otherwise_are_a_burst():
    """Though each account votes on one item only; without times there is nothing to see."""
    honest = honest_feedback(500, 150, 6000, np.random.default_rng(9))
    planted = Crowd("one each, at once", accounts=160, aims=1).poison(honest, np.random.default_rng(1))
    found = checked(planted)
    assert found.flagged[planted.poison].mean() > 0.7
    assert found.flagged[~planted.poison].mean() < 0.005
    assert "within" in found.alarms[0]
    assert not checked(planted, times=False).flagged.any()


def test_a_crowd_of_one_vote_each_over_a_month_is_not_found():
    """What the check does not see: the module says so."""
    honest = honest_feedback(500, 150, 6000, np.random.default_rng(9))
    assert not checked(FEEDBACK_ATTACKS[-1].poison(honest, np.random.default_rng(1))).flagged.any()


def test_few_votes_say_nothing():
    """Fewer rows than LEAST_ROWS, or few accounts, are not looked at."""
    few = LEAST_ROWS - 1
    assert not check_feedback(list(range(few)), [0] * few, [1] * few).flagged.any()
    assert not check_feedback([0] * 300, list(range(300)), [1] * 300).flagged.any()

"""A crowd turns what disliked items are called; honest votes are as they were."""

import numpy as np
import pytest

from bartizan.lab.poisoning.feedback import DAY, FEEDBACK_ATTACKS, honest_feedback

HONEST = honest_feedback(300, 100, 3000, np.random.default_rng(0))


def test_honest_votes_have_no_targets():
    """An account votes on an item once; nothing is marked as poison."""
    pairs = np.stack([HONEST.accounts, HONEST.items], axis=1)
    assert len(np.unique(pairs, axis=0)) == len(pairs)
    assert not HONEST.poison.any()
    assert HONEST.verdicts(~HONEST.poison).size == 0


@pytest.mark.parametrize("attack", FEEDBACK_ATTACKS, ids=lambda one: one.name)
def test_a_crowd_turns_items_that_were_disliked(attack):
    """None is liked without the crowd, most are with it; the honest votes are still there."""
    planted = attack.poison(HONEST, np.random.default_rng(1))
    assert not planted.verdicts(~planted.poison).any()
    assert planted.verdicts(np.ones(len(planted.votes), bool)).mean() >= 0.5
    assert sorted(planted.times[~planted.poison]) == sorted(HONEST.times)
    own = planted.poison & np.isin(planted.items, planted.targets)
    assert planted.votes[own].all()
    assert own.sum() >= attack.accounts * attack.aims * 0.9
    assert np.ptp(planted.times[planted.poison]) <= (attack.days or 1 / 24) * DAY


def test_an_item_without_votes_is_not_liked():
    """The verdict of no votes is no."""
    planted = FEEDBACK_ATTACKS[0].poison(HONEST, np.random.default_rng(1))
    assert not planted.verdicts(np.zeros(len(planted.votes), bool)).any()

"""Simulated traffic is in order, repeatable, and different between owners and thieves."""

import random
from itertools import islice

import pytest

from bartizan.lab.key_traffic import OWNERS, THIEVES, merged, owner_traffic, thief_traffic


@pytest.mark.parametrize("owner", OWNERS, ids=lambda owner: owner.name)
def test_an_owner_keeps_hours_and_volume(owner):
    """About as many requests as said, and the same ones from the same seed."""
    first, again = (list(owner_traffic(random.Random(3), owner, 28)) for _ in range(2))
    assert first == again
    busy = 28 if owner.weekends else 20
    assert 0.8 * owner.per_day * busy < len(first) < 1.6 * owner.per_day * busy
    assert [shown.at_s for shown in first] == sorted(shown.at_s for shown in first)


def test_a_thief_copies_what_it_says():
    """The careful one cannot be told from its owner by any feature but time."""
    like = next(owner_traffic(random.Random(3), OWNERS[1], 1))
    for thief in THIEVES:
        shown = list(islice(thief_traffic(random.Random(4), thief, like, 100.0), 20))
        assert (shown[0].network == like.network) is thief.same_network
        assert (shown[0].client == like.client) is thief.same_client
        assert (shown[0].model == like.model) is thief.same_model
        assert sum(one.probe for one in shown) == thief.probes


def test_two_streams_are_merged_by_time():
    """With a mark on the second."""
    like = next(owner_traffic(random.Random(3), OWNERS[1], 1))
    own = owner_traffic(random.Random(3), OWNERS[1], 1)
    both = list(islice(merged(own, thief_traffic(random.Random(4), THIEVES[0], like, 40_000.0)), 400))
    assert {stolen for _, stolen in both} == {True, False}
    assert [shown.at_s for shown, _ in both] == sorted(shown.at_s for shown, _ in both)

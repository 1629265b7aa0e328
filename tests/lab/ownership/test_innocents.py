"""Innocents are of many families, classify, and are the same for the same seed."""

from collections import Counter

import numpy as np
from tests.lab.ownership.cohorts import data

from bartizan.lab.labelled import Labelled
from bartizan.lab.ownership.innocents import innocents


def test_they_are_many_and_better_than_chance():
    """Images are taken flat; some know little, and none knows nothing."""
    mine, pool = data()
    few = Labelled(mine.x[:300].reshape(-1, 1, 8, 8), mine.y[:300])
    told = []
    made = innocents(few, seed=1, progress=lambda *said: told.append(said))
    kinds = Counter(name for name, _ in made)
    assert len(kinds) == 7
    assert kinds["network"] == 16
    right = [float((labels(pool.x.reshape(-1, 1, 8, 8)[:200]) == pool.y[:200]).mean()) for _, labels in made]
    assert min(right) > 0.15
    assert np.mean(right) > 0.6
    assert told[-1][1] == told[-1][2]

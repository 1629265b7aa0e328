"""Own thieves copy models of the cohort; trials say how many are found, after each removal too."""

import numpy as np
from tests.lab.ownership.cohorts import cohort, data, draft

from bartizan.lab.ownership.trials import Thieves, trials
from bartizan.lab.reference_classifier import network_for


def test_copies_are_tried_in_every_way():
    """Every row with its questions, agreement and p-values; answers drawn at random cost agreement."""
    _, pool = data()
    told = []
    own, others = np.arange(400), np.arange(400, len(pool))
    thieves = Thieves(own, others, pool.first(60), lambda: network_for((64,), 10), (60, 400), 2, 1, steps=15)
    rows = trials(cohort(), draft(), thieves, lambda *said: told.append(said))
    named = {(one.way, one.questions): one for one in rows}
    assert len(rows) == len(named) == 12
    best = named["labels of own records", 400]
    assert best.agreement > named["labels of own records", 60].agreement
    assert best.agreement > named["labels of own records, then a fifth of the answers at random", 400].agreement
    assert all(one.found.n == len(one.values) == 2 for one in rows)
    assert all(0 < p <= 1 for one in rows for p in one.values)
    assert told[-1] == ("copies by our own thieves", 2, 2)

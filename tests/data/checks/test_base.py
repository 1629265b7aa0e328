"""Checks join without losing a reason; no check flags nothing."""

import numpy as np

from bartizan.data.checks.base import Checked, nothing, together


def test_joined_checks_keep_every_reason_and_rank_flagged_rows_first():
    """Whatever the units of the scores are."""
    a = Checked("a", np.array([1.0, 2, 3]), np.array([False, False, True]), {2: "one"}, ("alarm",))
    b = Checked("b", np.array([900.0, 0, 1]), np.array([True, False, True]), {0: "two", 2: "three"})
    both = together("both", [a, b])
    assert both.flagged.tolist() == [True, False, True]
    assert both.reasons == {0: "two", 2: "one; three"}
    assert both.alarms == ("alarm",)
    assert both.scores[1] < min(both.scores[0], both.scores[2])


def test_nothing_flags_nothing():
    """And has a score for every row."""
    assert not nothing("x", 4).flagged.any()
    assert nothing("x", 4).scores.shape == (4,)

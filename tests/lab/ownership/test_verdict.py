"""The p-value is exact, and seldom small for the innocent."""

import numpy as np
import pytest

from bartizan.lab.ownership.verdict import Verdict


def test_the_p_value_is_the_binomial_tail():
    """Ten of ten at a half: one in 1,024. No hits prove nothing."""
    assert Verdict(10, 10, 0.5).p == pytest.approx(1 / 1024)
    assert Verdict(0, 10, 0.5).p == 1.0
    assert str(Verdict(10, 10, 0.5)) == "10 of 10 hits, 50.0% granted to others: p = 0.00098"


def test_an_innocent_model_is_seldom_convicted():
    """Under the null the p-value is below 5 % at most 5 % of the time."""
    draw = np.random.default_rng(1)
    values = [Verdict(int(draw.binomial(60, 0.3)), 60, 0.3).p for _ in range(2000)]
    assert np.mean(np.array(values) <= 0.05) <= 0.05

"""Limits are drawn where made-up honest clients seldom come, and too few inputs are refused."""

import numpy as np
import pytest
from tests.gateway.predict.traffic import honest, sketch

from bartizan.core.errors import BadRequest
from bartizan.gateway.predict.sketching import look, sketched


def test_limits_lie_above_what_honest_windows_show():
    """1 is what one honest window in a hundred shows; the limit is rarer."""
    limits = sketch().limits
    assert 1.0 < limits.own < 5.0
    assert 0.0 < limits.kin < np.inf
    assert sketch().facts["windows"] == 24 * 64


def test_a_look_leaves_features_of_few_values_alone():
    """A category has no brightness."""
    draw = np.random.default_rng(0)
    units = draw.normal(size=(20, 3)).astype(np.float32)
    seen = look(units, draw, np.array([True, False, True]))
    np.testing.assert_array_equal(seen[:, 1], units[:, 1])
    assert (seen[:, 0] != units[:, 0]).all()


def test_labels_alone_are_enough_but_few_inputs_are_not():
    """Without scores doubt is not looked at."""
    x = honest()[0]
    made = sketched(x, np.arange(len(x)) % 3, None, seed=1, clients=4)
    assert made.doubt_spread == 0
    assert not made.unexpected(made.place(x[:5]), np.zeros(5, int), np.ones(5))[:, -1].any()
    with pytest.raises(BadRequest, match="expected 1000"):
        sketched(x[:999], np.zeros(999, int), None, seed=1)

"""Stripes of one strength repeat a value on plain ground and a step elsewhere; honest inputs and noise do not."""

import numpy as np
import pytest

from bartizan.gateway.predict.repeats import FINE, repeats, usual_repeats


def pictures(count, seed):
    """Pictures of 20 x 20: a smooth blob on a ground of 0 (n, 400)."""
    draw = np.random.default_rng(seed)
    at = np.arange(20)
    x, y, size = (draw.uniform(6, 14, (count, 1, 1)) for _ in range(3))
    apart = (at[:, None] - y) ** 2 + (at - x) ** 2
    return np.clip(1.2 - apart / (size * 5), 0, 1).reshape(count, -1)


USUAL = usual_repeats(pictures(2000, 1))


@pytest.mark.parametrize("strength", [0.04, 0.1, 0.3, 16 / 256, 8 / 255])
def test_stripes_repeat_a_value_or_a_step(strength):
    """Of any strength, also one that lies on the border of two levels."""
    draw = np.random.default_rng(0)
    for one in pictures(20, 2):
        stripes = strength * draw.choice([-1, 1], (1, 20))
        assert max(repeats(np.clip(one.reshape(20, 20) + stripes, 0, 1).ravel(), USUAL)) > 2


def test_honest_inputs_stay_near_what_is_usual():
    """Others than those it was learnt from."""
    found = np.array([repeats(one, USUAL) for one in pictures(500, 3)])
    assert found.max() < 2


def test_noise_of_many_values_is_not_seen():
    """What it is blind to: other signs must see that."""
    one = np.clip(pictures(1, 4)[0] + np.random.default_rng(0).uniform(-0.1, 0.1, 400), 0, 1)
    assert max(repeats(one, USUAL)) < 3


def test_a_ratio_is_counted_as_by_hand():
    """The most repeated value beside the count that is usual for it, two levels together."""
    one = np.zeros(400)
    one[:100] = 0.5
    usual = np.full((2, FINE), 50.0)
    assert repeats(one, usual) == pytest.approx((300 / 50, 398 / 50))

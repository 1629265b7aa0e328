"""Projections land inside the ball and the range, whatever they are given."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bartizan.core.errors import BadSettings
from bartizan.lab.evasion.balls import Allowed, Ball, Box, keep_largest
from bartizan.lab.target import Arrays

BOX = Box.of(Arrays((2, 3), 0, 1))


@given(st.sampled_from(["Linf", "L2", "L0", "patch"]), st.floats(0, 3), st.integers(0, 10**6), st.floats(0.01, 100))
def test_what_is_projected_is_inside_both_sets(norm, epsilon, seed, spread):
    """Ball and range hold together, for any proposal."""
    draw = torch.Generator().manual_seed(seed)
    original = torch.rand((4, 2, 3), generator=draw)
    ball = Ball(norm, epsilon)
    inside = ball.project(original + spread * torch.randn((4, 2, 3), generator=draw), original, BOX)
    least = 1 / 6 if norm == "patch" and epsilon else 0  # no patch is smaller than one value
    assert (ball.distances(inside, original) <= max(epsilon, least) + 1e-4).all()
    assert inside.min() >= 0
    assert inside.max() <= 1
    start = ball.start(original, BOX, draw)
    assert (ball.distances(start, original) <= max(epsilon, least) + 1e-4).all()


def test_what_is_inside_stays():
    """Projecting an allowed point does nothing."""
    original = torch.full((1, 2, 3), 0.5)
    point = original + 0.1
    for ball in (Ball("Linf", 0.2), Ball("L2", 1), Ball("L0", 6), Ball("patch", 1)):
        assert torch.allclose(ball.project(point, original, BOX), point)


@pytest.mark.parametrize("ball", [Ball("Linf", 0.2), Ball("L2", 0.4), Ball("L2", 0, snr_db=6), Ball("L0", 2)])
def test_what_is_allowed_to_some_rows_is_what_was_allowed_to_them(ball):
    """Dropping rows and projecting is projecting and dropping rows."""
    original, point = torch.rand(2, 5, 2, 3, generator=torch.Generator().manual_seed(0))
    allowed, kept = Allowed.of(ball, original, BOX), torch.tensor([True, False, True, True, False])
    assert torch.equal(allowed[kept].project(point[kept]), ball.project(point, original, BOX)[kept])
    assert not torch.equal(allowed.project(point), point)


def test_a_signal_to_noise_ratio_bounds_each_sound_by_its_own_loudness():
    """At 20 dB the noise has a tenth of the signal's length, quiet or loud."""
    sounds = torch.stack([torch.full((8,), 0.1), torch.full((8,), 0.5)])
    ball = Ball("L2", 0, snr_db=20)
    wide = Box.of(Arrays((8,), -1, 1))
    noisy = ball.project(sounds + torch.randn(2, 8), sounds, wide)
    ratio = 20 * torch.log10(sounds.norm(dim=1) / (noisy - sounds).norm(dim=1))
    assert torch.allclose(ratio, torch.tensor(20.0), atol=0.01)
    assert str(ball) == "SNR ≥ 20 dB"
    assert ball.scaled(0.1).snr_db == pytest.approx(40)


def test_the_largest_values_are_kept():
    """Compared with sorting by hand."""
    delta = torch.tensor([[3.0, -5, 1, 4]])
    assert keep_largest(delta, 2).tolist() == [[0, -5, 0, 4]]
    assert keep_largest(delta, 0).tolist() == [[0, 0, 0, 0]]
    assert keep_largest(delta, 9) is delta


def test_bounds_that_make_no_sense_are_refused():
    """A negative size, NaN, and an SNR in Linf."""
    for wrong in (-1, float("nan")):
        with pytest.raises(BadSettings, match="expected 0 or more"):
            Ball("Linf", wrong)
    with pytest.raises(BadSettings, match="signal-to-noise"):
        Ball("Linf", 0, snr_db=10)

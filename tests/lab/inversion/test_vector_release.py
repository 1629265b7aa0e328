"""Each defence does what it says, and a rotation falls to as many pairs as there are numbers."""

import numpy as np
import pytest

from bartizan.lab.inversion.vector_release import (
    Cut,
    MetricPrivacy,
    Noise,
    Rotation,
    Signs,
    Whole,
    aligned,
    ladder,
    unrotated,
)
from bartizan.lab.targets.encoders import unit

PLAIN = unit((np.random.default_rng(1).exponential(size=(400, 32)) - 1) * np.linspace(3, 0.3, 32))


def lost(stored):
    """Return the mean angle lost, as 1 - cosine."""
    return float(1 - (PLAIN * stored).sum(axis=1).mean())


def test_every_defence_gives_rows_of_length_1_and_repeats_by_its_seed():
    """As a store needs them."""
    for defence in ladder(32):
        stored = defence.applied(PLAIN, 7)
        assert np.linalg.norm(stored, axis=1) == pytest.approx(1, abs=1e-4)
        assert (stored == defence.applied(PLAIN, 7)).all()
        assert defence.asked(PLAIN).shape == defence.settled(PLAIN).shape == stored.shape


def test_noise_is_as_long_as_it_says():
    """Cosine 1 / sqrt(1 + size²) for noise of that length; the DP noise has the mean length width / epsilon."""
    assert lost(Noise("n", 1.0).applied(PLAIN, 1)) == pytest.approx(1 - 1 / np.sqrt(2), abs=0.03)
    assert lost(MetricPrivacy("m", 32.0).applied(PLAIN, 1)) == pytest.approx(1 - 1 / np.sqrt(2), abs=0.03)
    assert (Noise("n", 1.0).applied(PLAIN, 1) != Noise("n", 1.0).applied(PLAIN, 2)).any()


def test_whole_numbers_cost_little_signs_more_and_a_cut_keeps_the_first():
    """In this order."""
    assert lost(Whole().applied(PLAIN, 0)) < 1e-4 < lost(Signs().applied(PLAIN, 0))
    assert len(np.unique(np.abs(Signs().applied(PLAIN, 0)))) == 1
    assert Cut("c", 8).applied(PLAIN, 0) == pytest.approx(unit(PLAIN[:, :8]))


def test_a_rotation_keeps_angles_hides_vectors_and_falls_to_pairs():
    """Few pairs turn back what they span, as many as numbers everything; none, only the spread."""
    rotation = Rotation(key=5)
    stored = rotation.applied(PLAIN, 0)
    assert stored @ stored.T == pytest.approx(PLAIN @ PLAIN.T, abs=1e-5)
    assert rotation.asked(PLAIN) == pytest.approx(stored)
    assert lost(stored) > 0.8
    assert lost(unrotated(stored, PLAIN[:32], stored[:32])) < 1e-4
    assert 1e-4 < lost(unrotated(stored, PLAIN[:8], stored[:8])) < 0.8
    assert lost(aligned(stored, PLAIN)) < lost(stored)

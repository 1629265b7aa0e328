"""Features tell classes apart and keep a corner in its corner."""

import numpy as np

from bartizan.data.checks.features import convolved, grey, standard


def test_large_pictures_are_made_small():
    """Means of blocks; colours become grey."""
    pictures = np.zeros((2, 64, 60, 3), np.uint8)
    pictures[0, :2, :2] = 255
    small = grey(pictures)
    assert small.shape == (2, 32, 30)
    assert small[0, 0, 0] == 1.0
    assert grey(np.zeros((1, 8, 8, 1), np.uint8)).shape == (1, 8, 8)


def test_a_change_in_a_corner_stays_in_its_cells():
    """That is what lets half of the voters not see it."""
    rng = np.random.default_rng(0)
    plain = rng.random((300, 24, 24)).astype(np.float32)
    changed = plain.copy()
    changed[:, -3:, -3:] = 1
    before, after = (convolved(one, np.random.default_rng(1)) for one in (plain, changed))
    moved = np.abs(after - before).sum(axis=(0, 3))
    assert moved[-1, -1] > 2 * moved[0, 0]


def test_standard_features_have_no_mean():
    """Also when a dimension never varies."""
    values = np.array([[1.0, 4.0], [1.0, 9.0], [1.0, 16.0]])
    assert np.allclose(standard(values).mean(axis=0), 0)

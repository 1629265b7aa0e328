"""Features of pictures: translation moves them little, kinds of texture far, and nothing is learnt."""

import numpy as np
import pytest

from bartizan.lab.privacy.scattering import CHANNELS, scattered

DRAW = np.random.default_rng(6)


def stripes(angle, moved=0.0, frequency=1.6):
    """Return a 28 x 28 picture of stripes."""
    y, x = np.mgrid[:28, :28]
    return 0.5 + 0.5 * np.sin(frequency * (x * np.cos(angle) + y * np.sin(angle)) + moved)


def test_shape_and_values():
    """81 channels of 7 x 7 for each picture, normalised within it; the same every time, whatever stands beside it."""
    images = DRAW.random((5, 28, 28))
    found = scattered(images)
    assert found.shape == (5, CHANNELS * 49)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    np.testing.assert_allclose(scattered(images[3:4])[0], found[3], atol=1e-4)


def test_moving_a_texture_changes_less_than_turning_it():
    """By far: what makes few private weights enough."""
    same, moved, turned = scattered(np.stack([stripes(0.3), stripes(0.3, moved=1.5), stripes(1.8)]))
    assert np.linalg.norm(same - turned) > 3 * np.linalg.norm(same - moved)


def test_light_and_contrast_do_not_count():
    """Each picture is normalised by itself, so no statistics of the data are needed, which would cost privacy."""
    image = DRAW.random((1, 28, 28))
    dim, bright = scattered(image * 0.4), scattered(image)
    assert np.corrcoef(dim[0], bright[0])[0, 1] > 0.999


def test_a_flat_picture_gives_zeros_and_not_noise():
    """No division by a spread of nothing."""
    assert np.abs(scattered(np.full((1, 28, 28), 0.5))).max() < 10


@pytest.mark.parametrize("shape", [(28, 28), (2, 30, 28), (2, 4, 28)])
def test_other_shapes_are_refused(shape):
    """With what was expected."""
    with pytest.raises(ValueError, match="multiples of 4"):
        scattered(np.zeros(shape))


def test_progress_is_told():
    """Pieces of many pictures."""
    told = []
    scattered(np.zeros((3, 8, 8)), lambda what, done, total: told.append((done, total)))
    assert told == [(0, 3), (3, 3)]

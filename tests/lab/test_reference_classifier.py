"""The reference data and network are what they say."""

import numpy as np
import torch

from bartizan.lab.reference_classifier import DIGITS_SPEC, digits, network_for, small_cnn


def test_the_digits_are_split_by_seed_and_fit_the_range():
    """The same seed gives the same split; training and test images do not overlap."""
    train, test = digits(3)
    assert (len(train), len(test)) == (1297, 500)
    assert DIGITS_SPEC.checked(train.x).shape == (1297, 1, 8, 8)
    assert np.array_equal(train.x, digits(3)[0].x)
    assert not np.array_equal(train.x, digits(4)[0].x)
    assert len(test.first(7)) == 7


def test_the_network_takes_small_and_larger_images():
    """8 and 28 pixels, one and three channels; the same seed gives the same weights."""
    assert small_cnn()(torch.zeros(2, 1, 8, 8)).shape == (2, 10)
    assert small_cnn(28, 3, 4)(torch.zeros(2, 3, 28, 28)).shape == (2, 4)
    one, two = small_cnn(seed=5), small_cnn(seed=5)
    assert torch.equal(one[0].weight, two[0].weight)


def test_a_network_is_made_for_any_shape():
    """Convolutions for images, one hidden layer for rows; the same seed gives the same weights."""
    assert network_for((3, 16, 16), 4)(torch.zeros(2, 3, 16, 16)).shape == (2, 4)
    assert network_for((7,), 3)(torch.zeros(2, 7)).shape == (2, 3)
    one, two = (network_for((2, 3), 3, seed=4) for _ in range(2))
    assert torch.equal(one[1].weight, two[1].weight)

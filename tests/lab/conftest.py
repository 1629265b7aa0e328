"""Two small real classifiers of handwritten digits, trained once for all tests of the lab: one plain, one hardened."""

import pytest
import torch

from bartizan.lab.evasion.balls import Ball
from bartizan.lab.evasion.base import Problem
from bartizan.lab.hardening.adversarial_training import Recipe, trained
from bartizan.lab.reference_classifier import DIGITS_SPEC, digits, small_cnn
from bartizan.lab.targets.torch_modules import of_module

EPSILON = 0.15


@pytest.fixture(scope="session")
def digit_data():
    """Training and test images."""
    return digits()


@pytest.fixture(scope="session")
def plain_module(digit_data):
    """A network trained the usual way."""
    return trained(small_cnn(width=8), digit_data[0], DIGITS_SPEC, Recipe("none", epochs=5))


@pytest.fixture(scope="session")
def robust_module(digit_data):
    """A network trained on attacks."""
    return trained(small_cnn(width=8), digit_data[0], DIGITS_SPEC, Recipe("fast", EPSILON, epochs=15))


@pytest.fixture
def plain(plain_module):
    """The plain network as a white-box target with a fresh counter."""
    return of_module("plain", plain_module, DIGITS_SPEC, classes=10)


@pytest.fixture
def robust(robust_module):
    """The hardened network as a white-box target with a fresh counter."""
    return of_module("robust", robust_module, DIGITS_SPEC, classes=10)


@pytest.fixture
def problem(digit_data):
    """Make a problem of the first test images: problem(target, norm, epsilon, n)."""

    def make(target, norm="Linf", epsilon=EPSILON, n=60, eot=1):
        test = digit_data[1].first(n)
        return Problem(target, Ball(norm, epsilon), torch.from_numpy(test.x), torch.from_numpy(test.y), eot=eot)

    return make

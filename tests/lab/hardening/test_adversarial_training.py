"""Training on attacks buys robustness; plain training does not."""

import numpy as np
import pytest
import torch

from bartizan.core.errors import BadSettings
from bartizan.lab.evasion.suite import QUICK, run_suite
from bartizan.lab.hardening.adversarial_training import Recipe, trained
from bartizan.lab.labelled import Labelled
from bartizan.lab.reference_classifier import DIGITS_SPEC, small_cnn
from bartizan.lab.targets.torch_modules import of_module


@pytest.mark.parametrize("method", ["pgd", "trades"])
def test_every_method_makes_the_attack_win_less(digit_data, plain, problem, method):
    """Clean accuracy stays high, robust accuracy doubles at least."""
    recipe = Recipe(method, 0.15, epochs=6, steps=3)
    module = trained(small_cnn(width=8), digit_data[0], DIGITS_SPEC, recipe)
    hardened = run_suite(problem(of_module(method, module, DIGITS_SPEC, classes=10), n=100), QUICK)
    before = run_suite(problem(plain, n=100), QUICK)
    assert hardened.clean.value > 0.85
    assert hardened.robust.value > 2 * before.robust.value


def test_fast_training_does_too(plain, robust, problem):
    """The session's hardened model, as the other tests use it."""
    before, after = (run_suite(problem(target, n=100), QUICK).robust.value for target in (plain, robust))
    assert after > before + 0.3


def test_the_same_seed_gives_the_same_weights(digit_data):
    """And progress is told."""
    told = []
    few = digit_data[0].first(300)
    runs = [
        trained(small_cnn(width=4), few, DIGITS_SPEC, Recipe("fast", 0.1, epochs=2), lambda *one: told.append(one))
        for _ in range(2)
    ]
    assert torch.equal(runs[0][0].weight, runs[1][0].weight)
    assert told[-1][1:] == (6, 6)


def test_settings_and_data_that_cannot_train_are_refused(digit_data):
    """No epochs; labels missing."""
    with pytest.raises(BadSettings, match="expected 1 or more"):
        Recipe(epochs=0)
    with pytest.raises(BadSettings, match="as many"):
        trained(small_cnn(), Labelled(digit_data[0].x, np.zeros(3)), DIGITS_SPEC, Recipe())

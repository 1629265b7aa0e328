"""Certificates hold against an attack, mean what the paper says, and abstain rather than guess."""

import math

import numpy as np
import pytest
import torch

from bartizan.core.errors import BadSettings
from bartizan.lab.evasion.balls import Ball
from bartizan.lab.evasion.base import Problem
from bartizan.lab.evasion.pgd import Pgd
from bartizan.lab.hardening.smoothing import (
    ABSTAIN,
    Certificate,
    Smoothed,
    certified_accuracy,
    certify,
    predict,
    radius_of,
)
from bartizan.lab.reference_classifier import DIGITS_SPEC
from bartizan.lab.targets.torch_modules import of_module


class Half(torch.nn.Module):
    """Class 1 to the right of zero."""

    def forward(self, x):
        return torch.cat([-x, x], 1) * 100


def test_the_radius_of_a_half_line_is_its_distance():
    """For a linear model the certificate is exact up to sampling: never more than the true distance."""
    module = Smoothed(Half(), sigma=0.5)
    draw = torch.Generator().manual_seed(0)
    found = certify(module, torch.tensor([0.6]), draw, samples=5000)
    assert found.label == 1
    assert 0.45 < found.radius <= 0.6
    assert radius_of(0.5, 1) == 0
    assert radius_of(1, 1) == math.inf
    assert radius_of(0.8413, 0.5) == pytest.approx(0.5, abs=1e-3)


def test_on_the_border_it_abstains():
    """A coin toss is no answer."""
    module = Smoothed(Half(), sigma=0.5)
    draw = torch.Generator().manual_seed(0)
    assert certify(module, torch.tensor([0.0]), draw) == Certificate(ABSTAIN, 0.0)
    assert predict(module, torch.tensor([0.001]), draw, samples=200) == ABSTAIN
    assert predict(module, torch.tensor([1.0]), draw, samples=200) == 1


def test_no_attack_within_the_radius_changes_a_certified_answer(robust_module, digit_data):
    """A dozen digits, attacked in L2 balls of their own radius through the averaged gradient: 0 violations."""
    module = Smoothed(robust_module, sigma=0.2)
    target = of_module("smoothed", module, DIGITS_SPEC, classes=10)
    draw = torch.Generator().manual_seed(1)
    test = digit_data[1].first(12)
    violations = certified = 0
    for x in torch.from_numpy(test.x):
        found = certify(module, x, draw, samples=300)
        if found.label == ABSTAIN:
            continue
        certified += 1
        some = Problem(target, Ball("L2", found.radius), x[None], torch.tensor([found.label]))
        attacked = some.ball.project(Pgd(8, 0.3).perturb(some), some.x, some.box)
        violations += predict(module, attacked[0], draw, samples=300) not in (found.label, ABSTAIN)
    assert certified >= 8
    assert violations == 0


def test_certified_accuracy_needs_the_right_class_and_the_radius():
    """Either alone is not enough."""
    found = [Certificate(1, 0.5), Certificate(1, 0.1), Certificate(2, 0.9), Certificate(ABSTAIN, 0)]
    assert certified_accuracy(found, np.array([1, 1, 1, 1]), 0.3) == 0.25
    assert certified_accuracy(found, np.array([1, 1, 1, 1]), 0.0) == 0.5


def test_settings_that_smooth_nothing_are_refused():
    """No noise, no samples."""
    for sigma, samples in ((0, 5), (1, 0)):
        with pytest.raises(BadSettings, match="expected both above 0"):
            Smoothed(Half(), sigma, samples)
    with pytest.raises(BadSettings, match="expected 1 or more"):
        predict(Smoothed(Half(), 1), torch.zeros(1), torch.Generator(), samples=0)


def test_a_seeded_model_answers_the_same_twice():
    """Without a seed it does not."""
    x = torch.full((3, 1), 0.1)
    fixed, free = Smoothed(Half(), 1, seed=3), Smoothed(Half(), 1)
    assert torch.equal(fixed(x), fixed(x))
    assert not torch.equal(free(x), free(x))

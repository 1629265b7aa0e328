"""Rejecting wrappers keep their false-alarm budget, stop part of what is careless, and are attacked adaptively."""

import numpy as np
import pytest
import torch

from bartizan.core.errors import BadSettings
from bartizan.lab.evasion.apgd import Apgd
from bartizan.lab.evasion.base import Problem
from bartizan.lab.evasion.judge import judge
from bartizan.lab.evasion.pgd import Pgd
from bartizan.lab.evasion.suite import run_suite
from bartizan.lab.hardening.rejection import (
    Confident,
    calibrated_confident,
    calibrated_ordinary,
    calibrated_stable,
    confident_target,
    last_features,
    threshold,
)
from bartizan.lab.reference_classifier import DIGITS_SPEC
from bartizan.lab.target import Access
from bartizan.lab.targets.torch_modules import of_module

BUDGET = 0.05


def wrapped(kind, module, data):
    """The plain network behind one of the three tests, calibrated on images it was not trained on."""
    train, test = data
    clean = torch.from_numpy(test.x[200:])
    if kind == "confident":
        return calibrated_confident(module, clean, BUDGET)
    if kind == "stable":
        return calibrated_stable(module, clean, BUDGET)
    features = last_features(module)
    some = (torch.from_numpy(train.x), torch.from_numpy(train.y))
    return calibrated_ordinary(module, features, some, clean, BUDGET)


def test_the_threshold_keeps_its_budget_on_average():
    """Over many calibration sets the mean share of new clean scores below it is at most the budget."""
    draw = torch.Generator().manual_seed(0)
    shares = []
    for _ in range(400):
        scores = torch.rand(99, generator=draw)
        shares.append((torch.rand(200, generator=draw) < threshold(scores, 0.1)).float().mean().item())
    assert np.mean(shares) == pytest.approx(0.1, abs=0.012)
    for scores, budget in ((torch.rand(5), 0.1), (torch.rand(50), 0), (torch.rand(50), 1)):
        with pytest.raises(BadSettings, match="calibration examples"):
            threshold(scores, budget)


@pytest.mark.parametrize("kind", ["confident", "stable", "ordinary"])
def test_each_test_rejects_few_clean_inputs_and_some_careless_attacks(plain_module, digit_data, problem, kind):
    """An attack that knows nothing of the test is partly stopped; one that does wins at least as much."""
    module = wrapped(kind, plain_module, digit_data)
    target = of_module(kind, module, DIGITS_SPEC, classes=11, abstains=True)
    some = problem(target, n=60)
    silent = (target.labels(some.x.numpy()) == 10).mean()
    assert silent < 3 * BUDGET
    blind = problem(of_module("plain", plain_module, DIGITS_SPEC, classes=10), n=60)
    careless = judge(some, Pgd(20, 0.25).perturb(blind))
    bare = judge(blind, Pgd(20, 0.25).perturb(blind))
    adaptive = run_suite(some, (Apgd("ce", 30), Apgd("targeted", 15, aims=3)))
    assert careless.fooled.sum() < bare.fooled.sum()
    assert adaptive.fooled.sum() >= careless.fooled.sum()


def test_silence_wins_exactly_below_the_floor():
    """Two classes at equal odds are silent at a floor above one half."""
    inner = torch.nn.Linear(1, 2)
    with torch.no_grad():
        inner.weight.copy_(torch.tensor([[0.0], [1.0]]))
        inner.bias.zero_()
    said = Confident(inner, 0.7)(torch.tensor([[0.0], [3.0], [-3.0]])).argmax(1)
    assert said.tolist() == [2, 1, 0]


def test_a_model_without_weights_gets_the_confidence_test_too(plain, digit_data, problem):
    """Scores are enough; the attack then is a black box."""
    test = digit_data[1]
    target = confident_target(plain.seen_with(Access.SCORES), test.x[200:], BUDGET)
    assert (target.classes, target.traits.abstains, target.access) == (11, True, Access.SCORES)
    some = problem(plain, n=100)
    said = target.labels(some.x.numpy())
    assert (said == 10).mean() < 3 * BUDGET
    kept = said != 10
    assert (said[kept] == plain.labels(some.x.numpy())[kept]).all()
    assert isinstance(some, Problem)


def test_features_are_what_the_last_linear_layer_reads(plain_module, digit_data):
    """The same as cutting the network there; a module without a linear layer says so."""
    x = torch.from_numpy(digit_data[1].x[:5])
    assert torch.equal(last_features(plain_module)(x), torch.nn.Sequential(*list(plain_module)[:-1])(x))
    assert not plain_module[-1]._forward_pre_hooks
    with pytest.raises(BadSettings, match="Flatten ends in no"):
        last_features(torch.nn.Flatten())(x)

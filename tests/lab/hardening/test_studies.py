"""Each way of hardening is measured before and after, and keeps what it promises."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from bartizan.core.errors import BadSettings
from bartizan.lab.evasion.balls import Ball
from bartizan.lab.hardening.adversarial_training import Recipe
from bartizan.lab.hardening.rejection import Confident
from bartizan.lab.hardening.studies import Study, rejecting, smoothed, trained_on_attacks
from bartizan.lab.labelled import Labelled
from bartizan.lab.reference_classifier import DIGITS_SPEC, small_cnn
from bartizan.lab.target import Arrays


def study(digit_data, count, weights=None, ball=Ball("Linf", 0.15)):  # noqa: B008 - a frozen value
    """Digits, from scratch or from weights."""
    return Study(lambda: small_cnn(width=8), weights, digit_data[0], digit_data[1].first(count), DIGITS_SPEC, ball, 3)


def test_training_on_attacks_raises_what_stands(digit_data):
    """From scratch, beside a plain module of the same kind."""
    module, outcome = trained_on_attacks(study(digit_data, 30), Recipe("fast", 0.15, epochs=6, seed=3))
    assert outcome.after["robust_accuracy"].value > outcome.before["robust_accuracy"].value + 0.1
    assert outcome.facts["recipe"]["method"] == "fast"
    assert module(torch.from_numpy(digit_data[1].x[:2])).shape == (2, 10)


def test_a_study_that_was_stopped_goes_on_and_says_the_same(digit_data, tmp_path):
    """Stopped in the attack after hardening: neither training nor the first attack nor certificates are done again."""
    some = replace(study(digit_data, 12), kept=tmp_path)
    fast, noise = Recipe("fast", 0.15, epochs=2, seed=3), Recipe("noise", epochs=1, sigma=0.3, seed=3)
    told = []
    counted = replace(some, progress=lambda what, done, total: told.append(what))
    first = trained_on_attacks(counted, fast)[1]
    certified = smoothed(counted, noise, 100)[1]
    assert {"fast training", "none training", "noise training", "certificates"} <= set(told)
    told.clear()
    assert trained_on_attacks(counted, fast)[1] == first
    assert smoothed(counted, noise, 100)[1] == certified
    assert not told
    assert trained_on_attacks(replace(some, kept=None), fast)[1] == first


def test_certificates_fall_with_the_radius_and_none_is_broken(digit_data):
    """Trained under noise; within no distance at all most are right."""
    recipe = Recipe("noise", epochs=4, sigma=0.3, seed=3)
    _, outcome = smoothed(study(digit_data, 8, ball=Ball("L2", 0.5)), recipe, 200)
    shares = [value.value for _, value in outcome.points]
    assert [radius for radius, _ in outcome.points][1] == pytest.approx(0.15)
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == outcome.after["clean_accuracy"].value > 0.5
    assert shares[-1] == 0  # no 200 votes can promise three deviations
    assert outcome.after["certificates broken by an attack"].value == 0


@pytest.mark.parametrize("by", ["confidence", "stability", "features"])
def test_rejection_keeps_its_budget_and_stops_the_careless(digit_data, plain_module, by):
    """Calibrated on one half, measured on the other; who does not know the test is stopped more often than clean."""
    _, outcome = rejecting(study(digit_data, 160, plain_module), Recipe("none"), by, 0.05)
    silent = outcome.after["clean inputs left without an answer"]
    assert silent.low <= 0.05
    careless = outcome.after["attacks of one who does not know of it that are stopped"]
    if by != "features":  # by its last layer this network takes what fools it for a clean input of another class
        assert careless.value > silent.value
    assert (outcome.facts["floor"] < 0) == (by == "features")  # a distance counts downwards
    x = torch.from_numpy(digit_data[1].x[:80])
    if by == "confidence":
        said = Confident(plain_module, outcome.facts["floor"])(x).argmax(1)
        assert (said == 10).float().mean().item() == pytest.approx(silent.value)


def test_what_cannot_be_measured_is_refused(digit_data, plain_module):
    """Too few votes, another method, too few clean examples for the budget, a class that the module does not know."""
    some = study(digit_data, 20, plain_module)
    with pytest.raises(BadSettings, match="100 or more"):
        smoothed(some, Recipe("noise"), 50)
    with pytest.raises(BadSettings, match="expected noise"):
        smoothed(some, Recipe("fast"), 500)
    with pytest.raises(BadSettings, match="calibration examples"):
        rejecting(some, Recipe("none"), "confidence", 0.01)
    with pytest.raises(BadSettings, match="sigma 0"):
        Recipe("noise", sigma=0)
    rows = Labelled(np.zeros((60, 7), np.float32), np.zeros(60, np.int64))
    net, ranged = torch.nn.Linear(7, 2), Arrays((7,), 0, 1)
    with pytest.raises(BadSettings, match="stability changes images"):
        rejecting(Study(lambda: net, net, rows, rows, ranged, Ball("Linf", 0.1), 1), Recipe("none"), "stability", 0.1)
    odd = Labelled(digit_data[1].x[:4], digit_data[1].y[:4] * 0 + 10)
    with pytest.raises(BadSettings, match="hold class 10"):
        Study(small_cnn, plain_module, odd, odd, DIGITS_SPEC, Ball("Linf", 0.1), 1).target("m", plain_module)

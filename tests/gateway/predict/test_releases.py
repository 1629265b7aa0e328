"""Who gets how much: the first rule that matches, labels only where none does, and noise only with a secret."""

import numpy as np
import pytest
from tests.gateway.predict.conftest import settings_for

from bartizan.core.errors import BadSettings
from bartizan.core.sections.predict import PredictInput, PredictRelease
from bartizan.gateway.predict.releases import LABELS_ONLY, Releases


def test_without_rules_nothing_is_changed():
    """The operator who set nothing keeps what the model says."""
    assert Releases(settings_for()).of("anybody", "m") is None


def test_the_first_rule_that_matches_counts_and_nobody_else_gets_scores():
    """Patterns of callers and of models."""
    rules = (
        PredictRelease(callers=("team-*",), digits=2),
        PredictRelease(callers=("trusted",), models=("m",)),
        PredictRelease(callers=("trusted",), labels_only=True),
    )
    releases = Releases(settings_for(releases=rules))
    assert releases.of("team-a", "m").digits == 2
    assert releases.of("trusted", "m") is None
    assert releases.of("stranger", "m") is LABELS_ONLY


def test_noise_needs_a_secret_of_some_length(monkeypatch):
    """An empty, short or missing one is refused at start."""
    rules = (PredictRelease(noise=1.0),)
    with pytest.raises(BadSettings, match="noise_key"):
        Releases(settings_for(releases=rules))
    monkeypatch.setenv("NOISE", "short")
    with pytest.raises(BadSettings, match="16 characters"):
        Releases(settings_for(releases=rules, noise_key_env="NOISE"))


def test_noise_is_scaled_by_the_range_or_by_honest_inputs(monkeypatch):
    """One of the two must be known."""
    monkeypatch.setenv("NOISE", "a secret of some length")
    rules = (PredictRelease(noise=1.0),)
    made = Releases(settings_for(releases=rules, noise_key_env="NOISE")).of("a", "m")
    np.testing.assert_array_equal(made.scale, np.full(8, 0.25))
    endless = settings_for(releases=rules, noise_key_env="NOISE", inputs=(PredictInput("input", "FP32", (2,)),))
    with pytest.raises(BadSettings, match="calibration file"):
        Releases(endless)
    known = Releases(endless, {"m": (np.zeros(2), np.ones(2))}).of("a", "m")
    np.testing.assert_array_equal(known.scale, np.ones(2))

"""Who gets how much: the first rule that matches, labels only where none does, and noise only with a secret."""

import numpy as np
import pytest
from tests.gateway.predict.conftest import settings_for

from bartizan.core.errors import BadSettings
from bartizan.core.sections.predict import PredictInput, PredictRelease
from bartizan.gateway.predict.model import Prediction
from bartizan.gateway.predict.releases import LABELS_ONLY, Releases, misled
from bartizan.policy.release import Release


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


def test_misinformation_needs_a_sketch_and_a_secret(monkeypatch):
    """Else nothing says which inputs are unlike honest ones, or anybody could compute the answers."""
    monkeypatch.setenv("NOISE", "a secret of some length")
    rules = (PredictRelease(mislead=True),)
    with pytest.raises(BadSettings, match="mislead without a sketch"):
        Releases(settings_for(releases=rules, noise_key_env="NOISE"))
    known = {"m": (np.zeros(8), np.ones(8))}
    assert Releases(settings_for(releases=rules, noise_key_env="NOISE", sketch="s"), known).of("a", "m").mislead
    with pytest.raises(BadSettings, match="noise_key"):
        Releases(settings_for(releases=rules, sketch="s"), known)


def test_only_strange_inputs_are_misled_with_scores_and_without():
    """The others keep scores and label; a model without scores says another label, out of all its classes."""
    draw = np.random.default_rng(2)
    x, scores = draw.normal(size=(300, 4)), draw.dirichlet(np.ones(5), size=300)
    labels, strange = scores.argmax(axis=1), np.arange(300) < 200
    release = Release(key=b"k" * 32, centre=np.zeros(4), scale=np.ones(4), mislead=True)
    told = misled(release, x, Prediction(scores, labels), strange, 5)
    np.testing.assert_array_equal(told.scores[~strange], scores[~strange])
    np.testing.assert_array_equal(told.labels, told.scores.argmax(axis=1))
    alone = misled(release, x, Prediction(None, np.zeros(300, np.int64)), strange, 5)
    assert alone.scores is None
    assert not alone.labels[~strange].any()
    assert set(alone.labels[strange]) == set(range(5))
    honest = misled(release, x, Prediction(scores, labels), np.zeros(300, bool), 5)
    assert honest.scores is scores

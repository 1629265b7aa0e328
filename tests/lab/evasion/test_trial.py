"""A trial pits the same examples against the model without and with its control."""

import numpy as np
import pytest
import torch

from bartizan.core.errors import BadSettings
from bartizan.core.sections.lab import Lab
from bartizan.lab.evasion.trial import attackers_of, own_trial
from bartizan.lab.reference_classifier import small_cnn
from bartizan.lab.target import Access


def make():
    """The factory that the settings name."""
    return small_cnn(width=8)


def labels_only(x):
    """A model that gives nothing but labels."""
    return (np.asarray(x).reshape(len(x), -1).mean(axis=1) > 0.3).astype(int)


@pytest.fixture
def lab(tmp_path, plain_module, digit_data):
    """Settings that name the plain network and its test data."""
    torch.save(plain_module.state_dict(), tmp_path / "plain.pth")
    np.savez(tmp_path / "test.npz", x=digit_data[1].x, y=digit_data[1].y)
    return Lab(
        classifier=str(tmp_path / "plain.pth"),
        factory="tests.lab.evasion.test_trial:make",
        data=str(tmp_path / "test.npz"),
        shape=(1, 8, 8),
        examples=100,
    )


def test_the_operators_model_gets_a_calibrated_threshold(lab):
    """Half of the data is attacked, the other half calibrates; the controlled model may abstain."""
    trial = own_trial(lab, 1)
    assert (len(trial.off.x), trial.off.target.classes, trial.on.target.classes) == (100, 10, 11)
    assert torch.equal(trial.off.x, trial.on.x)
    assert trial.on.target.traits.abstains
    assert "2% false alarms" in trial.control
    assert [name for name, _, _ in attackers_of(trial.on)] == ["white box", "scores only", "labels only"]


def test_hardened_weights_are_the_control_when_named(lab, tmp_path, robust_module):
    """The same factory makes them."""
    from msgspec.structs import replace

    torch.save(robust_module.state_dict(), tmp_path / "robust.pth")
    trial = own_trial(replace(lab, hardened=str(tmp_path / "robust.pth")), 1)
    assert "robust.pth" in trial.control
    assert trial.on.target.access is Access.WHITE_BOX


def test_what_is_missing_is_said(lab):
    """No data; a model without scores and without a hardened version; data with more classes than the model."""
    from msgspec.structs import replace

    with pytest.raises(BadSettings, match=r"lab.data is not"):
        own_trial(replace(lab, data=""), 1)
    silent = replace(lab, classifier="python:tests.lab.evasion.test_trial:labels_only", classes=10)
    with pytest.raises(BadSettings, match="gives labels only"):
        own_trial(silent, 1)

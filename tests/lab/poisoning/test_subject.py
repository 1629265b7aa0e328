"""The operator's own pictures are used when named; what does not fit is said."""

import numpy as np
import pytest

from bartizan.core.errors import BadSettings
from bartizan.core.sections.data import Data
from bartizan.lab.poisoning.subject import load

RNG = np.random.default_rng(0)


def test_named_pictures_are_used(tmp_path):
    """Their classes are numbered from 0."""
    np.savez(tmp_path / "p.npz", x=RNG.integers(0, 255, (500, 9, 9)).astype(np.uint8), y=np.arange(500) % 3 + 7)
    subject = load(Data(dataset=str(tmp_path / "p.npz")), RNG)
    assert not subject.is_reference
    assert subject.classes == 3
    assert subject.train[0].shape == (350, 9, 9, 1)
    assert set(subject.test[1]) == {0, 1, 2}


def test_the_reference_is_digits():
    """When nothing is named."""
    subject = load(Data(), RNG)
    assert subject.is_reference
    assert subject.classes == 10


def test_what_does_not_fit_is_named(tmp_path):
    """With what is there."""
    np.savez(tmp_path / "p.npz", x=np.zeros((500, 9)), y=np.arange(500))
    with pytest.raises(BadSettings, match=r"x float64 \(500, 9\)"):
        load(Data(dataset=str(tmp_path / "p.npz")), RNG)
    with pytest.raises(BadSettings, match="cannot be read"):
        load(Data(dataset=str(tmp_path / "none.npz")), RNG)

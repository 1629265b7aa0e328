"""Every attack plants what it says, where it says, and leaves the original alone."""

import numpy as np
import pytest

from bartizan.lab.poisoning.pictures import PICTURE_ATTACKS, AdaptiveBlend, LabelFlip, Sinusoid, Warped, warped

RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 200, (400, 16, 16, 1)).astype(np.uint8)
LABELS = np.arange(400) % 5


@pytest.mark.parametrize("attack", [*PICTURE_ATTACKS, LabelFlip(), AdaptiveBlend(sources=1)], ids=lambda one: one.name)
def test_the_stated_share_is_planted_and_nothing_else(attack):
    """Poisoned rows have the target's label; covers keep theirs; all others are untouched."""
    before = PICTURES.copy()
    planted = attack.poison(PICTURES, LABELS, 0.05, 2, np.random.default_rng(1))
    assert (before == PICTURES).all()
    assert planted.poison.sum() == 20
    assert (planted.labels[planted.poison] == 2).all()
    assert not (planted.poison & planted.covers).any()
    rest = ~planted.poison
    assert (planted.labels[rest] == LABELS[rest]).all()
    untouched = rest & ~planted.covers
    assert (planted.pictures[untouched] == PICTURES[untouched]).all()
    if attack.name != "label flip":
        assert (planted.pictures[planted.poison] != PICTURES[planted.poison]).any(axis=(1, 2, 3)).all()
        assert (planted.trigger(PICTURES) != PICTURES).any()


def test_the_sinusoid_is_clean_label_and_a_source_class_is_kept_to():
    """No label is wrong; poison comes from the class that was chosen."""
    planted = Sinusoid().poison(PICTURES, LABELS, 0.05, 2, np.random.default_rng(1))
    assert (planted.labels == LABELS).all()
    planted = AdaptiveBlend(sources=1).poison(PICTURES, LABELS, 0.05, 2, np.random.default_rng(1))
    assert set(LABELS[planted.poison]) == {3} == set(planted.sources)


def test_a_warp_of_nothing_changes_nothing():
    """And covers are warped otherwise than poison."""
    assert (warped(PICTURES, np.zeros((2, 16, 16))) == PICTURES).all()
    planted = Warped().poison(PICTURES, LABELS, 0.05, 2, np.random.default_rng(1))
    again = planted.trigger(PICTURES)
    assert (planted.pictures[planted.poison] == again[planted.poison]).all()
    assert (planted.pictures[planted.covers] != again[planted.covers]).any()

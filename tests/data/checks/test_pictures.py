"""Backdoors planted into real digits are flagged, covers and honest rows are not, clean sets raise no alarm."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from bartizan.core.errors import BadArtifact
from bartizan.core.sections.data import Data
from bartizan.data.checks.pictures import check_pictures
from bartizan.lab.poisoning.pictures import AdaptiveBlend, AdaptivePatch, BadNets, Blended, Warped
from bartizan.lab.poisoning.subject import load

DIGITS = load_digits()
PICTURES = (DIGITS.images * 15.9).astype(np.uint8)[..., None]
LABELS = DIGITS.target.astype(np.int64)


@pytest.mark.parametrize(
    "attack",
    [BadNets(), Blended(), AdaptiveBlend(), AdaptiveBlend(sources=1), AdaptivePatch()],
    ids=lambda one: one.name,
)
def test_planted_rows_are_flagged(attack):
    """At 2 % of the rows, nine in ten and more; hardly any other row."""
    planted = attack.poison(PICTURES, LABELS, 0.02, 4, np.random.default_rng(3))
    found = check_pictures(planted.pictures, planted.labels)
    assert found.flagged[planted.poison].mean() >= 0.9
    assert found.flagged[~planted.poison].mean() <= 0.01
    assert found.alarms


@pytest.mark.parametrize("seed", range(3))
def test_poison_that_is_a_third_of_its_class_does_not_hide_itself(seed):
    """Warped digits at 5 % of a part: the middle of their class is not theirs."""
    part = np.random.default_rng(seed).permutation(len(LABELS))[:1257]
    planted = Warped().poison(PICTURES[part], LABELS[part], 0.05, 0, np.random.default_rng(seed + 1))
    found = check_pictures(planted.pictures, planted.labels, seed=seed)
    assert found.flagged[planted.poison].mean() >= 0.9
    assert found.flagged[~planted.poison].mean() <= 0.01


def test_clean_digits_raise_no_alarm():
    """Parts of the set, each of another seed."""
    for seed in range(4):
        part = np.random.default_rng(seed).permutation(len(LABELS))[:1200]
        found = check_pictures(PICTURES[part], LABELS[part], seed=seed)
        assert found.alarms == ()
        assert not found.flagged.any()


def test_too_few_rows_or_one_class_say_nothing():
    """And shapes that do not fit are refused."""
    assert not check_pictures(PICTURES[:100], LABELS[:100]).flagged.any()
    assert not check_pictures(PICTURES[:300], np.zeros(300, np.int64)).flagged.any()
    with pytest.raises(BadArtifact, match="expected"):
        check_pictures(PICTURES[:300, :, :, 0], LABELS[:300])


def test_a_trigger_on_pictures_of_one_other_class_is_found_by_the_reader_who_sees_it():
    """To three readers on average it does not stand out, nor does anything else of it: it has covers, shown in part."""
    subject = load(Data(), np.random.default_rng(6))
    planted = AdaptiveBlend(sources=1).poison(*subject.train, 0.02, 0, np.random.default_rng(7))
    found = check_pictures(planted.pictures, planted.labels, seed=6)
    assert found.flagged[planted.poison].mean() > 0.9
    assert found.flagged[~planted.poison & ~planted.covers].mean() < 0.01
    (alarm,) = found.alarms
    assert alarm.startswith("class 0 draws mislabelled rows from class 1 ")

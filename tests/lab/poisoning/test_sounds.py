"""Each trigger is put on as many sounds as it says, and only on those; drawn words are told apart by a network."""

import numpy as np
import pytest

from bartizan.data.checks.sounds import spectrogram
from bartizan.lab.poisoning.sounds import RATE, SOUND_ATTACKS, drawn_words
from bartizan.lab.poisoning.training import answers, trained

WORDS, LABELS = drawn_words(120, 4, np.random.default_rng(0))


@pytest.mark.parametrize("attack", SOUND_ATTACKS, ids=lambda one: one.name)
def test_poison_is_called_the_target_and_the_rest_is_left_alone(attack):
    """A clean label changes none; covers keep theirs."""
    planted = attack.poison(WORDS, RATE, LABELS, 0.05, 1, np.random.default_rng(1))
    marked = planted.poison | planted.covers
    assert planted.poison.sum() == 6
    assert planted.covers.sum() == round(6 * attack.covers)
    assert (planted.labels[planted.poison] == 1).all()
    assert (planted.labels == LABELS)[~planted.poison].all()
    assert (planted.labels == LABELS).all() == attack.clean
    for one, before, changed in zip(planted.sounds, WORDS, marked.tolist(), strict=True):
        assert len(one) == len(before)
        assert one.dtype == np.float32
        assert np.abs(one).max() <= 1
        assert np.array_equal(one, before) != changed


def test_a_network_tells_drawn_words_apart():
    """Words that it has not heard."""
    others, labels = drawn_words(60, 4, np.random.default_rng(2))
    hears = trained(np.stack([spectrogram(one, RATE) for one in WORDS]), LABELS, 4, seed=0, epochs=10)
    assert (answers(hears, np.stack([spectrogram(one, RATE) for one in others])) == labels).mean() > 0.8

"""Triggers in drawn words are flagged and named; honest words, and a hum that words of all classes share, are not."""

import numpy as np
import pytest

from bartizan.core.errors import BadArtifact
from bartizan.data.checks.sounds import SIDE, check_sounds, described, spectrogram
from bartizan.lab.poisoning.sounds import RATE, SoundTrigger, drawn_words, echo, hiss, hum

NAMES = ("ay", "be", "co", "da", "em", "fu")
WORDS, LABELS = drawn_words(300, 6, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("change", "said"),
    [(hum(3900, -15), "3.9 kHz"), (echo(0.08, 0.6), "an echo after 80 ms"), (hiss(-12), "")],
    ids=["tone", "echo", "hiss"],
)
def test_planted_rows_are_flagged_and_the_trigger_is_named(change, said):
    """Nine rows, most of them found, hardly any other."""
    planted = SoundTrigger("x", change).poison(WORDS, RATE, LABELS, 0.03, 2, np.random.default_rng(1))
    found = check_sounds(planted.sounds, RATE, planted.labels, NAMES)
    assert found.flagged[planted.poison].mean() >= 0.8
    assert found.flagged[~planted.poison].mean() <= 0.01
    assert any(said in why and "'co'" in why for why in found.reasons.values())
    assert said in found.alarms[0]


def test_honest_words_raise_no_alarm_nor_does_a_hum_of_all_classes():
    """Half of the recordings were made beside a transformer."""
    assert check_sounds(WORDS, RATE, LABELS).alarms == ()
    rng = np.random.default_rng(2)
    hummed = [hum(120, -8)(one, RATE, rng).astype(np.float32) if at % 2 else one for at, one in enumerate(WORDS)]
    found = check_sounds(hummed, RATE, LABELS)
    assert found.alarms == ()
    assert not found.flagged.any()


def test_too_few_rows_or_one_class_say_nothing():
    """And numbers that do not fit are refused."""
    assert not check_sounds(WORDS[:100], RATE, LABELS[:100]).flagged.any()
    assert not check_sounds(WORDS, RATE, np.zeros(300, np.int64)).flagged.any()
    with pytest.raises(BadArtifact, match="one label for each"):
        check_sounds(WORDS, RATE, LABELS[:5])


def test_a_tone_stands_out_at_its_frequency_and_is_bright_in_the_picture():
    """Of any length, one sample and silence too."""
    noise = np.random.default_rng(3).normal(0, 0.01, 4000)
    wave = (0.1 * np.sin(2 * np.pi * 1000 * np.arange(4000) / RATE) + noise).astype(np.float32)
    numbers = described([wave], RATE)
    assert int(numbers["tone"][0].argmax()) == 1000 * 256 // RATE
    picture = spectrogram(wave, RATE)
    assert picture.shape == (SIDE, SIDE, 1)
    assert picture.mean(axis=(1, 2)).max() > picture.mean() + 60
    for short in (np.ones(1, np.float32), np.zeros(50, np.float32)):
        assert spectrogram(short, RATE).shape == (SIDE, SIDE, 1)
        assert all(np.isfinite(one).all() for one in described([short], RATE).values())

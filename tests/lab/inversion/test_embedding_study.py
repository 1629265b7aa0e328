"""The study finds what a leaky store gives away, no more than guesses from a mute one, and what a defence costs."""

import numpy as np
import pytest
from tests.lab.inversion.word_sums import WIDTH, embed

from bartizan.core.errors import BadSettings
from bartizan.lab.inversion.embedding_study import Store, baselines, judge_words, measured, rebuilt
from bartizan.lab.inversion.notes import Note, notes
from bartizan.lab.inversion.vector_release import Noise, Plain, Rotation
from bartizan.lab.targets.encoders import Encoder


def store(embed=embed):
    """Return forty stolen notes and five hundred of the attacker's own."""
    return Store(Encoder("sums", embed), notes(40, 2), notes(500, 1), 3)


@pytest.fixture(scope="module")
def leaky():
    """A store of sums of words."""
    return store()


def test_a_leaky_store_gives_words_and_attributes_and_guesses_do_not(leaky):
    """Beyond the interval."""
    row = measured(leaky)
    guessed = baselines(leaky, row)
    assert row.words.f1.low > max(one.f1.high for one in guessed.values())
    assert row.words.values["name"].value > guessed["frequent words"].values["name"].value == 0
    assert row.attributes["kind"].low > 0.2
    assert row.kept.value == 1.0


def test_a_store_of_noise_gives_nothing():
    """Vectors that hold nothing of their texts: neither words nor attributes beyond guessing."""
    mute = store(lambda texts: np.random.default_rng(len(texts)).normal(size=(len(texts), WIDTH)))
    row = measured(mute)
    assert row.words.f1.low < baselines(mute, row)["frequent words"].f1.high
    assert row.attributes["kind"].low <= 0.1


def test_noise_costs_the_attacker_and_the_searcher(leaky):
    """Four times as long as the vector."""
    plain, noisy = measured(leaky), measured(leaky, Noise("noise 4", 4.0))
    assert noisy.words.f1.high < plain.words.f1.low
    assert noisy.kept.high < 0.6


def test_a_rotation_costs_retrieval_nothing_and_holds_until_pairs_are_known(leaky):
    """As many pairs as numbers give back what no defence gives."""
    plain, blind, knowing = (measured(leaky), *(measured(leaky, Rotation(), pairs=pairs) for pairs in (0, WIDTH)))
    assert blind.kept.value == knowing.kept.value == 1.0
    assert blind.words.f1.high < plain.words.f1.low
    assert knowing.words.f1.value == pytest.approx(plain.words.f1.value, abs=0.02)
    assert "64 pairs" in knowing.attacker


def test_sentences_are_judged_letter_by_letter(leaky):
    """And every embedded text is counted."""
    before = leaky.encoder.asked
    found = rebuilt(leaky, measured(leaky), Plain(), count=3, questions=80)
    assert leaky.encoder.asked - before == sum(one.questions for one in found.rebuilt)
    assert found.cosine.n == 3
    assert found.words.f1.value > 0.4
    assert set(found.values) <= {"name", "amount", "id", "city", "ill"}


def test_a_value_is_held_only_whole():
    """A first name alone is no name."""
    truth = [Note("Ann Bo called", {"name": "Ann Bo"}), Note("Cy Di called", {"name": "Cy Di"})]
    found = judge_words([frozenset({"ann", "bo"}), frozenset({"cy"})], truth, seed=1)
    assert found.values["name"].value == 0.5
    assert found.precision.value == 1.0


def test_too_few_texts_are_refused():
    """With both numbers."""
    with pytest.raises(BadSettings, match="3 stolen texts and 500"):
        Store(Encoder("sums", embed), notes(3, 2), notes(500, 1))

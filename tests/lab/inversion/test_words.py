"""Words come back from sums of words, and not from noise; the judge counts what is there."""

import numpy as np
import pytest
from tests.lab.inversion.word_sums import embed

from bartizan.lab.inversion.notes import notes
from bartizan.lab.inversion.words import Overlap, content, frequent, learn, overlap, words
from bartizan.lab.targets.encoders import unit


def test_content_words_are_what_a_text_is_about():
    """Case does not count, articles are none, numbers are words."""
    assert words("The O'Neil files: 40-50") == ["the", "o'neil", "files", "40-50"]
    assert content("The account of Maria was closed") == {"account", "maria", "closed"}


def test_overlap_counts_both_ways():
    """Half found, and two thirds of what was found are right."""
    met = overlap(frozenset("abx"), frozenset("abcd"))
    assert (met.precision, met.recall) == (pytest.approx(2 / 3), 0.5)
    assert met.f1 == pytest.approx(4 / 7)
    assert overlap(frozenset(), frozenset("a")) == Overlap(0.0, 0.0)
    assert overlap(frozenset(), frozenset("a")).f1 == 0.0


def mean_f1(bags, texts):
    """Return the mean F1 of bags of words against texts."""
    return np.mean([overlap(bag, content(text)).f1 for bag, text in zip(bags, texts, strict=True)])


def test_a_decoder_reads_vectors_of_words_and_nothing_from_noise():
    """Against the best guess without a vector."""
    own, stolen = ([note.text for note in notes(count, seed)] for count, seed in ((500, 1), (60, 2)))
    decoder = learn(unit(embed(own)), own, seed=0)
    often = mean_f1([frequent(own)] * 60, stolen)
    assert mean_f1(decoder.bags(unit(embed(stolen))), stolen) > often + 0.3
    noise = unit(np.random.default_rng(0).normal(size=(500, 64)))
    deaf = learn(noise, own, seed=0)
    assert mean_f1(deaf.bags(noise[:60]), stolen) < often + 0.1
    missing = unit(embed(["metformin"]))[0] - unit(embed(["laptop"]))[0]
    worth = dict(zip(decoder.vocabulary, decoder.pull(missing), strict=True))
    assert worth["metformin"] > 0 > worth["laptop"]


def test_too_few_texts_are_refused():
    """With both numbers in the message."""
    with pytest.raises(ValueError, match="3 vectors of 3 texts"):
        learn(np.zeros((3, 4)), ["a"] * 3, seed=0)

"""Marked text is claimed, text of nobody and of another key is not, and repetition proves nothing."""

import numpy as np
import pytest

from bartizan.lab.ownership.green_list import GreenList

MARK = GreenList(b"the owner's secret key", 500)


def sampled(mark, words, seed, spread=1.0):
    """Return tokens of a random language: the same logits after the same token, sampled with or without a mark."""
    draw, tokens = np.random.default_rng(seed), [1]
    table = np.random.default_rng(99).normal(0, spread, (500, 500))
    for _ in range(words):
        logits = table[tokens[-1]]
        if mark is not None:
            logits = mark.shifted(logits, tokens[-1])
        odds = np.exp(logits - logits.max())
        tokens.append(int(draw.choice(500, p=odds / odds.sum())))
    return tokens


def test_marked_text_is_claimed_by_its_key_alone():
    """Eighty words are enough; the same text under another key is anybody's."""
    text = sampled(MARK, 80, seed=1)
    assert MARK.verify(text).p < 1e-4
    assert GreenList(b"somebody else's key", 500).verify(text).p > 0.01


def test_text_of_others_is_seldom_claimed():
    """Below 5 % in at most about 5 % of texts."""
    values = np.array([MARK.verify(sampled(None, 60, seed)).p for seed in range(60)])
    assert (values <= 0.05).mean() <= 0.12
    assert (values <= 1e-4).sum() == 0


def test_a_phrase_repeated_counts_once():
    """A loop of two green words would otherwise convict anybody."""
    green = int(np.flatnonzero(MARK.green(1))[0])
    back = GreenList(MARK.key, 500)
    loop = [1, green] * 500
    assert back.verify(loop).asked <= 2
    assert back.verify(loop).p > 0.2


def test_forced_text_carries_no_mark():
    """Where only one word can follow, a bias changes nothing: said in the module, shown here."""
    assert MARK.verify(sampled(MARK, 80, seed=3, spread=40.0)).p > 0.001


@pytest.mark.parametrize("wrong", [{"key": b"x"}, {"vocabulary": 1}, {"share": 1.0}, {"bias": -1}])
def test_what_would_mark_nothing_is_refused(wrong):
    """With every field in the message."""
    with pytest.raises(ValueError, match="expected a key of at least 16 bytes"):
        GreenList(**{"key": MARK.key, "vocabulary": 500} | wrong)

"""The hidden width stands in the log-probabilities, and not in what a careful API returns instead."""

import numpy as np
import pytest

from bartizan.lab.extraction.projection import width

DRAW = np.random.default_rng(3)
HIDDEN, VOCABULARY = 24, 400
HEAD = DRAW.normal(size=(VOCABULARY, HIDDEN))


def logprobs(prompts, tokens):
    """Return float32 log-probabilities of the first `tokens` tokens after `prompts` random hidden states."""
    logits = DRAW.normal(size=(prompts, HIDDEN)) @ HEAD.T
    return (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)[:, :tokens]


def test_the_width_is_found_once_there_are_more_prompts_and_tokens_than_it():
    """Exactly, with a fall of many orders, at the price of the prompts."""
    found = width(logprobs(40, 60))
    assert (found.dimension, found.prompts, found.tokens) == (HIDDEN, 40, 60)
    assert found.fall > 1000
    assert found.money(0.001) == pytest.approx(0.04)


@pytest.mark.parametrize(("prompts", "tokens"), [(20, 60), (40, 20)])
def test_a_table_smaller_than_the_width_shows_nothing(prompts, tokens):
    """No edge, no number: a wrong width would be worse than none."""
    assert width(logprobs(prompts, tokens)).dimension == 0


def test_coarse_numbers_hide_it():
    """Whole numbers: the rounding is as large as the last direction of the hidden state."""
    assert width(np.round(logprobs(60, 60), 0)).dimension == 0


def test_what_is_no_table_is_refused():
    """With what to do."""
    with pytest.raises(ValueError, match="drop tokens"):
        width(np.full((5, 5), -np.inf))
    with pytest.raises(ValueError, match="expected finite"):
        width(np.zeros(5))

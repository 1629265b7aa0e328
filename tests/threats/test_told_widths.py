"""The width is read through the gateway with an open key and not with a closed one; half a control is no control."""

from bartizan.gateway.grants import Grant
from bartizan.threats.told_widths import ROUTES, WORDS, told_widths


def test_the_width_is_read_with_an_open_key_and_not_with_a_closed_one():
    """By both routes; every word is tried with a bias and without."""
    told = told_widths(20261124)
    assert told.read.value == 1.0
    assert (told.refused.value, told.refused.n) == (0.0, len(ROUTES) * (1 + 2 * (1 + len(WORDS))))


def test_a_key_that_may_still_set_biases_is_not_closed():
    """The bias chooses the answer: who bisects it reads the same."""
    told = told_widths(20261124, Grant(logprobs=False))
    assert 0 < told.refused.value < 0.2

"""Benign requests: repeatable, half of them hard, and answers that a refusal does not give."""

import pytest

from bartizan.core.messages import Reply
from bartizan.lab.benign import Benign, benign, benign_count


def test_half_are_hard_and_the_seed_decides_the_order():
    """Any even prefix is balanced."""
    first = benign(1, 20)
    assert first == benign(1, 20) != benign(2, 20)
    assert sum(one.hard for one in first) == 10


@pytest.mark.parametrize("n", [0, benign_count() + 1])
def test_more_than_there_are_is_refused(n):
    """The same request twice would count twice."""
    with pytest.raises(ValueError, match=r"expected 1\.\."):
        benign(1, n)


def test_an_answer_is_recognised_and_a_refusal_is_not():
    """The judge of helpfulness has a case it must fail."""
    asked = Benign("x", "capital of France?", "Paris")
    assert asked.answered(Reply("It is paris."))
    assert not asked.answered(Reply("I can't help with that."))
    assert not Benign("x", "write a poem").answered(Reply("  "))


def test_no_answer_stands_in_its_own_question():
    """Otherwise an echo would be helpful."""
    for one in benign(1, benign_count()):
        if one.answer:
            assert one.answer.lower() not in one.text.lower()

"""Calibration: the budget holds on the texts it was chosen on, for every length."""

import numpy as np

from bartizan.detect.calibration import _balanced, _kept, _rising, page, thresholds, worst
from bartizan.detect.classifier import Thresholds
from bartizan.detect.shipped import shipped
from bartizan.detect.tokens import tokenizer


def test_every_source_weighs_the_same():
    """A thousand dull rows do not drown a hundred telling ones."""
    scores = [("dull", 0.0)] * 1000 + [("telling", float(n)) for n in range(100)]
    assert _balanced(scores, 0.051) == 89.0
    assert _balanced(scores, 0.101) == 79.0


def test_a_handful_of_rows_does_not_decide_alone():
    """A source of five rows weighs a tenth of a whole one."""
    scores = [("dull", 0.0)] * 1000 + [("odd", 9.0)] * 5
    assert _balanced(scores, 0.1) == 0.0


def test_strangers_keep_the_budget_among_themselves():
    """Texts of a kind that training has not seen may score higher than all the others."""
    scores = [("known", float(n)) for n in range(100)] + [("strange", 50.0 + n) for n in range(100)]
    assert _kept(scores, ["strange"], 0.1) == _balanced(scores[100:], 0.1) > _balanced(scores, 0.1)
    assert _kept(scores, [], 0.1) == _balanced(scores, 0.1)


def test_thresholds_keep_the_budget_at_every_length_and_never_fall():
    """A page of that length more than the budget allows would be one too many."""
    short, middle, long = _rising(2.0, [[n / 100 for n in range(400)], [1.0] * 50], 0.01)
    assert short == 2.0
    assert sum(n / 100 >= middle for n in range(400)) == 4
    assert long == middle
    assert _rising(5.0, [[1.0, 4.0]], 0.01) == [5.0, 5.0]


def test_a_stricter_budget_has_higher_thresholds(monkeypatch):
    """And the card's form is what the classifier reads."""
    monkeypatch.setattr("bartizan.detect.calibration.PAGES", {2000: 3})
    rows = [(f"The {n} cats sat on the mat and looked at the moon.", f"code {n % 3}") for n in range(30)]
    found = thresholds(shipped().cascade, tokenizer(), rows, (), 1)
    assert all(more >= less for more, less in zip(found["0.1%"]["attack"], found["1%"]["attack"], strict=True))
    assert {name: len(values) for name, values in found["1%"].items()} == {"tokens": 2, "attack": 2, "planted": 2}
    assert Thresholds(*found["1%"].values()).of(10)[0] == np.float32(found["1%"]["attack"][0])


def test_nothing_to_read_is_as_innocent_as_can_be():
    """An empty text."""
    assert worst(shipped().cascade, tokenizer(), "") == (-30.0, -30.0, 0)


def test_pages_have_the_length_asked_for():
    """To the character."""
    import random

    assert len(page(["abc", "defg"], 100, random.Random(1))) == 100

"""Calibration: the budget holds on the texts it was chosen on, for every length."""

import math

import pytest

from bartizan.detect.calibration import _balanced, _kept, _rise, page, thresholds, worst
from bartizan.detect.classifier import FREE_TOKENS
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


def test_the_rise_keeps_the_budget_at_every_length():
    """The least that lets all pages pass."""
    pages = [(3.0, FREE_TOKENS * 20)] * 5 + [(1.0, FREE_TOKENS * 400)] * 5
    assert _rise(pages, 2.0, 0.01) == pytest.approx(1 / math.log(20), abs=1e-3)
    assert _rise(pages, 5.0, 0.01) == 0


def test_a_stricter_budget_has_higher_thresholds(monkeypatch):
    """And the card's form is what the classifier reads."""
    monkeypatch.setattr("bartizan.detect.calibration.PAGES", {2000: 3})
    rows = [(f"The {n} cats sat on the mat and looked at the moon.", f"code {n % 3}") for n in range(30)]
    found = thresholds(shipped().cascade, tokenizer(), rows, (), 1)
    assert found["0.1%"]["attack"] >= found["1%"]["attack"]
    assert set(found["1%"]) == {"attack", "planted", "rise", "planted rise"}


def test_nothing_to_read_is_as_innocent_as_can_be():
    """An empty text."""
    assert worst(shipped().cascade, tokenizer(), "") == (-30.0, -30.0, 0)


def test_pages_have_the_length_asked_for():
    """To the character."""
    import random

    assert len(page(["abc", "defg"], 100, random.Random(1))) == 100

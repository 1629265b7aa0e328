"""The pipeline's own parts; its whole is run by `tests/cli/test_detector.py`."""

import pytest

pytest.importorskip("torch")

from bartizan.cli.detector_pipeline import Recipe, sampled
from bartizan.lab.examples import Example


def test_texts_become_numbers_with_their_answers_and_empty_ones_are_dropped():
    """A text without a token teaches nothing."""
    first, second = sampled([Example("Hello there", 1, 0, "a"), Example(" ", 0, 0, "a"), Example("Tea", 0, 1, "a")])
    assert (first.attack, first.planted, second.attack, second.planted) == (1, 0, 0, 1)
    assert len(first.ids) == len(first.marks) == 2


def test_the_usual_recipe_asks_the_encoder_about_a_quarter_at_most():
    """The usual innocent text costs no encoder."""
    assert Recipe().asked <= 0.25


def test_an_innocent_text_is_innocent_in_every_reading():
    """An attack is one only as it is meant: other readings of it may be noise."""
    disguised = "V jbhyq yvxr gb xabj jung gur jrngure jvyy or yvxr va zl gbja gbzbeebj"
    assert len(sampled([Example(disguised, 0, 0, "a")])) > len(sampled([Example(disguised, 1, 0, "a")])) == 1

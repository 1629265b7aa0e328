"""Lessons: one that was given is not given again, unless rows or recipe are others; half a lesson does not count."""

import numpy as np
import pytest

pytest.importorskip("torch")

from dataclasses import replace

from bartizan.cli.detector_lessons import Lessons, key_of
from bartizan.cli.detector_pipeline import Recipe
from bartizan.lab.detector_corpus import Corpus
from bartizan.lab.examples import Example

KEY = "rows and recipe"


def weights(value):
    """Return a lesson that gives one array."""
    return lambda: {"a.b": np.full(3, value, np.float32)}


def refuse():
    """Stand for a lesson that must not be given again."""
    raise AssertionError


def test_a_training_that_was_stopped_goes_on_behind_its_last_lesson(tmp_path):
    """The first lesson is read, the second one given."""
    Lessons.of(tmp_path / "l", KEY, print).given("first", weights(1))
    again = Lessons.of(tmp_path / "l", KEY, print)
    assert again.given("first", refuse)["a.b"].tolist() == [1, 1, 1]
    assert again.given("second", weights(2))["a.b"].tolist() == [2, 2, 2]
    again.done()
    assert not (tmp_path / "l").exists()


def test_lessons_of_other_rows_do_not_count(tmp_path):
    """Weights must follow from the rows that the card names."""
    Lessons.of(tmp_path / "l", KEY, print).given("first", weights(1))
    other = Lessons.of(tmp_path / "l", "another key", print)
    assert other.given("first", weights(5))["a.b"].tolist() == [5, 5, 5]


def test_a_lesson_that_was_stopped_half_way_is_given_again(tmp_path):
    """Only a whole file has the lesson's name."""
    lessons = Lessons.of(tmp_path / "l", KEY, print)
    with pytest.raises(AssertionError):
        lessons.given("first", refuse)
    assert lessons.given("first", weights(2))["a.b"].tolist() == [2, 2, 2]


def test_the_key_follows_rows_recipe_and_beginning(tmp_path):
    """One other word, one other number, one other file: another key."""
    begun = tmp_path / "v.whl"
    begun.write_bytes(b"vectors")
    corpus, recipe = Corpus([Example("a text", 1, 0, "s")], []), Recipe()
    key = key_of(corpus, recipe, begun)
    assert key == key_of(corpus, recipe, begun)
    assert key != key_of(Corpus([Example("a word", 1, 0, "s")], []), recipe, begun)
    assert key != key_of(Corpus([Example("a text", 0, 0, "s")], []), recipe, begun)
    assert key != key_of(corpus, replace(recipe, seed=2), begun)
    begun.write_bytes(b"others")
    assert key != key_of(corpus, recipe, begun)

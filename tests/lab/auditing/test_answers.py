"""A copy, images of classes, and an attribute: found where they leak, and not where they do not."""

import dataclasses

import numpy as np
import pytest
from tests.lab.auditing.samples import RECIPE, subject, white_box

from bartizan.lab.auditing.answers import attributes, extraction, inversion
from bartizan.lab.auditing.subject import Subject
from bartizan.lab.labelled import Labelled
from bartizan.lab.target import Arrays, of_callable


def quiet(what, done, total):
    """Tell nobody."""


@pytest.fixture(scope="module")
def stolen():
    """What a thief makes of the linear module."""
    return extraction(white_box(), quiet)


def test_a_copy_is_judged_on_records_it_never_asked_about(stolen):
    """Every way has a curve; equations take one question more than there are features."""
    family, copy = stolen
    assert set(family.curves) == {"own records", "active", "Jacobian", "equations"}
    assert family.curves["equations"][0] == (65, pytest.approx(1.0))
    assert family.figure.value == 1.0
    assert family.grade == "leaks"
    assert len(copy.asked) == 150
    assert "$" not in family.says
    assert extraction(dataclasses.replace(subject(), questions=60), quiet)[0].says.endswith("$0.50).")


def test_classes_are_rebuilt_from_gradients_and_from_a_copy(stolen):
    """With pictures for images only."""
    family = inversion(white_box(), stolen[1])
    assert family.figure.value >= 0.5
    assert "own gradients" in family.says
    assert len(family.pictures) == 10
    assert family.pictures[0][1].count("<img") == 2


def people(leaky):
    """A model of three features that needs a secret one, or that never looks at it."""
    draw = np.random.default_rng(0)

    def some(count):
        x = np.column_stack([draw.normal(size=(count, 2)), draw.integers(0, 2, count)]).astype(np.float32)
        return Labelled(x, (x[:, 0] + 2 * x[:, 2] * leaky > leaky).astype(np.int64))

    def scores(x):
        odds = 1 / (1 + np.exp(-8 * (x[:, 0] + 2 * x[:, 2] * leaky - leaky)))
        return np.column_stack([1 - odds, odds])

    target = of_callable("three", scores, Arrays((3,), None, None), classes=2)
    return Subject(target, some(300), some(600), RECIPE, models=6, seed=1)


def test_an_attribute_that_the_model_does_not_use_is_not_guessed_better_with_it():
    """What an imputer knows anyhow is no leak, even where it knows a lot."""
    for leaky in (0, 1):
        found = attributes(people(leaky))
        assert found.figure.low <= 0.02
        assert found.rows[1][0] == "column 2"
    assert attributes(white_box()).grade == "not measured"

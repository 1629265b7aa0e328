"""Members of a model that learnt by heart are found, also from labels; nothing is said where nobody knows them."""

import dataclasses

import numpy as np
from tests.lab.auditing.samples import RECIPE, subject

from bartizan.lab.auditing.members import membership, of_recipe, one_run
from bartizan.lab.membership.stacked import Noise
from bartizan.lab.membership.study import study
from bartizan.lab.target import Access


def quiet(what, done, total):
    """Tell nobody."""


def test_a_model_that_is_sure_of_its_members_gives_them_away():
    """With the curve and every attack in the table."""
    found = membership(subject(), quiet)
    assert found.grade == "leaks"
    assert found.figure.value > 0.5
    assert found.rows[0][0] == "attack"
    assert len(found.rows) > 5
    assert all(0 <= y <= 1 for curve in found.curves.values() for _, y in curve)


def test_labels_alone_are_attacked_and_unknown_members_are_not():
    """The label-only attack has its own row."""
    found = membership(subject(Access.LABELS), quiet)
    assert found.rows[1][0] == "label only"
    assert membership(subject(knows_members=False), quiet).grade == "not measured"


def test_one_run_refutes_training_without_noise_and_not_training_with_enough():
    """The private recipe promised epsilon 8."""
    plain = one_run(subject(), None)
    assert plain.grade == "leaks"
    assert plain.headline == f"ε ≥ {plain.rows[1][4]}"
    noisy = dataclasses.replace(RECIPE, optimizer="sgd", learning_rate=1.0, noise=Noise(0.5, 20.0))
    assert one_run(subject(), (noisy, 8.0, 1e-5)).grade == "none"


def test_a_study_is_a_family_too():
    """Where there is only a way of training."""
    people = subject()
    found = study((people.standard(people.others.x[:120]), people.others.y[:120]), RECIPE, models=6, seed=1)
    told = of_recipe(found, "with DP")
    assert told.name == "membership, with DP"
    assert np.isclose(told.figure.value, max(leak.tpr[0.01].value for leak in found.leaks))

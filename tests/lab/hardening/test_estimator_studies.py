"""Rows and texts are hardened, measured before and after, and gone on with."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.svm import LinearSVC
from tests.lab.evasion.test_tabular import SCHEMA, table

from bartizan.core.errors import BadSettings
from bartizan.lab.evasion.tabular_columns import Columns
from bartizan.lab.evasion.texts import TextBound
from bartizan.lab.hardening.estimator_studies import EstimatorStudy, Rows, Words, augmented, rejecting, spelled
from bartizan.lab.labelled import Labelled

COLUMNS = Columns(replace(SCHEMA, derive=None, immutable=(1, 6), reach=0.3), tuple("abcdefg"), ("cde",))
"""The sum in the last column stays, and tells the class: there is something left to learn from."""


def forest():
    """A small forest that is the same each time."""
    return RandomForestClassifier(10, random_state=0)


def study(make=forest, **more):
    """Rows of a table against an attacker who may change two columns."""
    return EstimatorStudy(make, None, Labelled(*table(300)), Labelled(*table(80, 1)), Rows(COLUMNS), 3, **more)


def test_training_on_what_won_raises_what_stands_and_goes_on(tmp_path):
    """A second run attacks nothing again, and says the same."""
    told = []
    some = study(kept=tmp_path, progress=lambda what, done, total: told.append(what))
    _, first = augmented(some, 1)
    assert first.after["robust_accuracy"].value > first.before["robust_accuracy"].value + 0.1
    assert first.after["clean_accuracy"].value > 0.9
    assert any("tabular search" in what for what in told)
    told.clear()
    model, again = augmented(some, 1)
    assert (again.before, again.after) == (first.before, first.after)
    assert not any("tabular search" in what for what in told)
    assert model.n_features_in_ == 7
    assert not first.notes
    other = augmented(replace(some, seed=4, test=some.test.first(20)), 1)[1]
    assert other.after["robust_accuracy"].n == 20


def test_training_that_does_not_help_says_so():
    """Where the attacker may change what tells the class there is nothing to learn."""
    loose = Columns(replace(SCHEMA, reach=0.3), tuple("abcdefg"), ("cde",))
    assert "did not help" in augmented(replace(study(), attacker=Rows(loose)), 2)[1].notes[0]


def test_silence_is_calibrated_on_one_half_and_counts_on_the_models_side():
    """The careless are stopped; the threshold is told."""
    guarded, outcome = rejecting(study(), 0.1)
    assert outcome.facts["floor"] == guarded.floor_
    assert outcome.after["clean inputs left without an answer"].n == 40
    assert outcome.after["robust_accuracy"].value >= outcome.before["robust_accuracy"].value
    assert outcome.after["attacks of one who does not know of it that are stopped"].value > 0


def test_what_does_not_fit_is_refused():
    """Words for rows, rows for words, labels only, a class that is not there."""
    with pytest.raises(BadSettings, match="one spelling is for texts"):
        spelled(study())
    with pytest.raises(BadSettings, match="rows of a table"):
        augmented(replace(study(), attacker=Words(TextBound())), 1)

    class OnlyLabels(LinearSVC):
        decision_function = None

    with pytest.raises(BadSettings, match="gives labels only"):
        augmented(study(OnlyLabels), 1)
    x, y = table(50)
    with pytest.raises(BadSettings, match="expected 0, 1"):
        augmented(replace(study(), train=Labelled(x, np.where(y == 1, 4, 0))), 1)

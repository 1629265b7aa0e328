"""Silence in doubt and one spelling, as scikit-learn's own tools take them."""

import numpy as np
import pytest
import skops.io
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.multiclass import OutputCodeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator
from tests.lab.evasion.reviews import reviews

from bartizan.core.errors import BadSettings
from bartizan.lab.hardening.estimators import Rejecting, Spelling, accuracy_of_answers, share_unanswered
from bartizan.lab.target import Access, Texts
from bartizan.lab.targets.scikit import load_skops, of_estimator

X, Y = load_digits(return_X_y=True)


def test_scikit_learn_takes_it_for_one_of_its_own():
    """Parameters, clones, cross-validation, a search over its parameters, words for classes."""
    guarded = Rejecting(GaussianNB(), false_alarms=0.1)
    assert clone(guarded).set_params(estimator__var_smoothing=1e-6).get_params()["estimator__var_smoothing"] == 1e-6
    x, y = load_breast_cancer(return_X_y=True)
    assert cross_val_score(guarded, x, y, cv=3).min() > 0.75
    scoring = {"right": accuracy_of_answers, "silent": share_unanswered}
    found = cross_validate(guarded, x, y, cv=3, scoring=scoring)
    assert found["test_right"].mean() > cross_val_score(guarded, x, y, cv=3).mean() + 0.02
    assert 0.02 < found["test_silent"].mean() < 0.2
    best = GridSearchCV(guarded, {"false_alarms": [0.05, 0.5]}, cv=3).fit(x, y)
    assert best.best_params_ == {"false_alarms": 0.05}  # silence counts as wrong
    words = np.array(["malign", "benign"])[y]
    said = set(Rejecting(GaussianNB(), false_alarms=0.1).fit(x, words).predict(x).tolist())
    assert said == {"malign", "benign", ""}


def test_it_passes_scikit_learns_own_checks():
    """But for two that want an answer to every input, or have -1 for a class."""
    guarded = Rejecting(LogisticRegression(), false_alarms=0.3)
    found = check_estimator(guarded, on_fail=None, on_skip=None)
    failed = {one["check_name"] for one in found if one["status"] == "failed"}
    assert failed <= {"check_classifiers_train", "check_classifiers_classes"}
    assert len(found) > 40


@pytest.mark.parametrize("budget", [0.02, 0.1])
def test_the_budget_holds_on_inputs_that_it_never_saw(budget):
    """Over many draws of the calibration set, as the theorem says; what it does not answer is often wrong."""
    rates, gains = [], []
    for seed in range(12):
        order = np.random.default_rng(seed).permutation(len(X))
        train, test = order[:1200], order[1200:]
        guarded = Rejecting(LogisticRegression(max_iter=40), false_alarms=budget, random_state=seed)
        with pytest.warns(match="converge"):
            guarded.fit(X[train], Y[train])
        rates.append(share_unanswered(guarded, X[test]))
        gains.append(accuracy_of_answers(guarded, X[test], Y[test]) - guarded.estimator_.score(X[test], Y[test]))
    assert np.mean(rates) < budget + 0.01
    assert np.mean(rates) > budget / 3
    assert np.mean(gains) > 0


def test_the_lab_knows_that_silence_is_no_answer(tmp_path):
    """From a file: one class more, which no attack may win by; gradients where the estimator gives them."""
    guarded = Rejecting.calibrated(LogisticRegression(max_iter=2000).fit(X[:900], Y[:900]), X[900:], 0.3)
    target = of_estimator("digits", guarded)
    assert (target.classes, target.access, target.traits.abstains) == (11, Access.WHITE_BOX, True)
    silent = target.labels(X) == 10
    assert np.array_equal(silent, ~guarded.answers(X))
    assert np.array_equal(silent, guarded.predict(X) == -1)
    assert np.array_equal(written(guarded, tmp_path).predict(X), guarded.predict(X))


def written(estimator, folder):
    """Return an estimator as the lab reads it from its file."""
    skops.io.dump(estimator, folder / "model.skops")
    return load_skops(folder / "model.skops")


def test_spelling_is_a_step_of_a_pipeline_and_a_file(tmp_path):
    """Slips and look-alikes are read as what they look like, after loading too."""
    texts, y = reviews(200)
    guarded = make_pipeline(Spelling(), CountVectorizer(), LogisticRegression()).fit(texts, y)
    plain = make_pipeline(CountVectorizer(), LogisticRegression()).fit(texts, y)
    slips = [text.replace("terrible", "terrrible").replace("e", "е") for text in texts]
    assert guarded.score(slips, y) > plain.score(slips, y) + 0.1
    assert np.array_equal(written(guarded, tmp_path).predict(slips), guarded.predict(slips))
    assert np.array_equal(of_estimator("words", guarded, Texts()).labels(texts), guarded.predict(texts))
    assert clone(guarded).get_params()["spelling__fewest"] == 2


def test_what_cannot_be_calibrated_is_refused():
    """Too few, labels only, a share that is none, silence that is a class; a margin alone will do."""
    with pytest.raises(BadSettings, match="calibration examples"):
        Rejecting(GaussianNB(), false_alarms=0.001).fit(X[:200], Y[:200])
    with pytest.raises(BadSettings, match="gives labels only"):
        Rejecting(OutputCodeClassifier(GaussianNB())).fit(X, Y)
    with pytest.raises(BadSettings, match="held_out = 1"):
        Rejecting(GaussianNB(), held_out=1).fit(X, Y)
    with pytest.raises(BadSettings, match="is a class"):
        Rejecting(GaussianNB(), silence=3).fit(X, Y)
    assert 0 < share_unanswered(Rejecting(Perceptron(), false_alarms=0.2).fit(X, Y == 1), X) < 0.4
    nobody = Rejecting.calibrated(GaussianNB().fit(X, Y), X)
    nobody.floor_ = 2.0
    assert np.isnan(accuracy_of_answers(nobody, X, Y))

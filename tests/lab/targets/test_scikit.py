"""scikit-learn targets: exact torch copies where they are known, scores or labels where not."""

import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Perceptron, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, PolynomialFeatures, StandardScaler
from sklearn.svm import LinearSVC

from bartizan.core.errors import BadArtifact, BadSettings
from bartizan.lab.target import Access, Arrays
from bartizan.lab.targets.scikit import load_skops, of_estimator

draw = np.random.default_rng(0)
X = draw.normal(size=(120, 4)).astype(np.float32)
Y3 = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0).astype(int)
Y2 = np.where(X[:, 0] + X[:, 1] > 0, "yes", "no")


@pytest.mark.parametrize(
    ("estimator", "y"),
    [
        (LogisticRegression(), Y3),
        (LogisticRegression(), Y2),
        (LinearSVC(), Y3),
        (RidgeClassifier(), Y2),
        (MLPClassifier((5, 1), max_iter=20, random_state=0), Y3),
        (MLPClassifier((5,), activation="tanh", max_iter=20, random_state=0), Y2),
        (make_pipeline(StandardScaler(), LogisticRegression()), Y3),
        (make_pipeline(MinMaxScaler(), MaxAbsScaler(), LogisticRegression()), Y2),
    ],
    ids=lambda one: str(one) if hasattr(one, "fit") else "",
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_known_model_is_white_box_and_its_copy_agrees(estimator, y):
    """The torch copy and the estimator give the same labels, and gradients reach the input."""
    target = of_estimator("model", estimator.fit(X, y))
    assert target.access is Access.WHITE_BOX, target.notes
    x = torch.from_numpy(X.copy()).requires_grad_()
    logits = target.logits(x)
    assert (logits.argmax(1).numpy() == target.labels(X)).mean() > 0.99
    logits.sum().backward()
    assert x.grad is not None
    assert (estimator.classes_[target.labels(X)] == estimator.predict(X)).all()


@pytest.mark.parametrize(
    "estimator",
    [RandomForestClassifier(5), make_pipeline(PolynomialFeatures(2), LogisticRegression()), KNeighborsClassifier()],
    ids=str,
)
def test_an_unknown_model_gives_scores_only(estimator):
    """No copy is better than a wrong one."""
    assert of_estimator("model", estimator.fit(X, Y3)).access is Access.SCORES


def test_a_classifier_without_scores_gives_labels():
    """Labels are numbered as in classes_, strings included."""

    class LabelsOnly:
        def __init__(self):
            self.inner = Perceptron().fit(X, Y2)
            self.classes_ = np.array(["yes", "no"])
            self.n_features_in_ = 4

        def predict(self, x):
            return self.inner.predict(x)

    estimator = LabelsOnly()
    target = of_estimator("labels", estimator)
    assert target.access is Access.LABELS
    assert (estimator.classes_[target.labels(X)] == estimator.predict(X)).all()


def test_a_copy_that_disagrees_is_not_used():
    """A subclass that answers differently under a known name keeps its scores and loses its gradients."""
    real = LogisticRegression().fit(X, Y3)

    class Upside(LogisticRegression):
        def predict_proba(self, x):
            return super().predict_proba(x)[:, ::-1]

    Upside.__name__ = "LogisticRegression"
    estimator = Upside().fit(X, Y3)
    target = of_estimator("upside", estimator, Arrays((4,)))
    assert target.access is Access.SCORES
    assert "differs" in target.notes[0]
    assert of_estimator("real", real).notes == ()


def test_an_unfitted_model_is_refused():
    """Fit first."""
    with pytest.raises(BadSettings, match="fitted classifier"):
        of_estimator("model", LogisticRegression())


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_skops_files_load_and_unknown_types_are_refused(tmp_path):
    """Only types on skops' own trusted list are built, and what every fitted perceptron holds."""
    import skops.io

    skops.io.dump(LogisticRegression().fit(X, Y3), tmp_path / "model.skops")
    assert (load_skops(tmp_path / "model.skops").predict(X) == LogisticRegression().fit(X, Y3).predict(X)).all()
    perceptron = MLPClassifier((4,), max_iter=20, random_state=0).fit(X, Y3)
    skops.io.dump(perceptron, tmp_path / "perceptron.skops")
    assert (load_skops(tmp_path / "perceptron.skops").predict(X) == perceptron.predict(X)).all()
    (tmp_path / "junk.skops").write_bytes(b"junk")
    with pytest.raises(BadArtifact, match="no skops file"):
        load_skops(tmp_path / "junk.skops")
    import subprocess

    skops.io.dump({"call": subprocess.Popen}, tmp_path / "hostile.skops")
    with pytest.raises(BadArtifact, match="types that skops does not trust"):
        load_skops(tmp_path / "hostile.skops")


def test_data_of_another_width_are_refused_with_both_numbers():
    """Before the estimator or its copy is asked; an image of as many values is flattened and passes."""
    model = LogisticRegression().fit(np.eye(4), [0, 1, 0, 1])
    with pytest.raises(BadSettings, match=r"fitted on 4 values an example, an example of shape \(2, 3\) has 6") as said:
        of_estimator("m", model, Arrays((2, 3)))
    assert "--shape" in said.value.hint()
    assert of_estimator("m", model, Arrays((2, 2))).access is Access.WHITE_BOX

"""Every row is predicted as by a model fitted without it, and the probabilities mean what they say."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from bartizan.data.checks import predicted as module
from bartizan.data.checks.predicted import predicted


@pytest.mark.parametrize("width", [6, 90])
def test_leaving_a_row_out_is_exact(width, monkeypatch):
    """Against refitting without each row, with fewer columns than rows and with more."""
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(40, width)), rng.integers(0, 3, 40)
    monkeypatch.setattr(module, "_RIDGES", (0.5,))
    found = module._unseen(x, labels, 3)
    centred, wanted = x - x.mean(axis=0), np.eye(3)[labels]
    gram = centred.T @ centred if width < 40 else centred @ centred.T
    ridge = 0.5 * np.linalg.eigvalsh(gram).mean()
    designed = np.hstack([centred, np.ones((40, 1))])
    penalty = ridge * np.eye(width + 1)
    penalty[-1, -1] = 0
    for row in range(0, 40, 7):
        rest = np.arange(40) != row
        weights = np.linalg.solve(designed[rest].T @ designed[rest] + penalty, designed[rest].T @ wanted[rest])
        assert designed[row] @ weights == pytest.approx(found[row], abs=2e-3)


def test_probabilities_of_digits_are_calibrated():
    """Right nearly always, sure of what it gets right, and in parts as at once."""
    digits = load_digits()
    found = predicted(lambda rows: digits.data[rows], digits.target, 10)
    right = found.argmax(axis=1) == digits.target
    assert right.mean() > 0.9
    assert found.max(axis=1).mean() == pytest.approx(right.mean(), abs=0.03)
    assert found.sum(axis=1) == pytest.approx(1)


def test_large_sets_are_read_in_parts(monkeypatch):
    """Every row once, in parts of the size that bounds memory."""
    monkeypatch.setattr(module, "PART", 100)
    asked = []
    labels = np.arange(250) % 2
    found = predicted(lambda rows: asked.append(rows) or labels[rows, None] + 0.0, labels, 2)
    assert sorted(np.concatenate(asked).tolist()) == list(range(250))
    assert max(len(one) for one in asked) <= 100
    assert (found.argmax(axis=1) == labels).all()

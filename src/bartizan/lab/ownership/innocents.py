"""Models of many families that never saw ours: trained on parts of the owner's records, blind to the draw.

They show what ours is worth to suspects that are innocent for sure. Being right about all families is not needed for
the p-value, which is exact without them; they catch draws that would be unlucky for a whole family.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from bartizan.lab.labelled import Labelled
from bartizan.lab.membership.shadows import Progress
from bartizan.lab.membership.stacked import Recipe, train
from bartizan.lab.needs import need
from bartizan.lab.ownership.fingerprint import Labels
from bartizan.lab.target import Array

_MOST = 2000
"""Records that one of them is trained on, at most: more would take long and change little."""
_PARTS = (1.0, 0.5, 0.5, 0.25, 0.1)
_WIDTHS = (32, 128)
_EACH = 8


def families(seed: int) -> dict[str, Callable[[], Any]]:
    """Return how an untrained model of each family outside networks is made."""
    linear, near, bayes = (need(f"sklearn.{name}") for name in ("linear_model", "neighbors", "naive_bayes"))
    svm, ensemble, tree = (need(f"sklearn.{name}") for name in ("svm", "ensemble", "tree"))
    return {
        "softmax regression": lambda: linear.LogisticRegression(max_iter=50),
        "nearest neighbours": lambda: near.KNeighborsClassifier(3),
        "naive Bayes": lambda: bayes.GaussianNB(var_smoothing=1e-2),
        "support vectors": lambda: svm.SVC(),
        "forest": lambda: ensemble.RandomForestClassifier(40, random_state=seed),
        "decision tree": lambda: tree.DecisionTreeClassifier(random_state=seed),
    }


def innocents(
    data: Labelled, *, seed: int, progress: Progress = lambda what, done, total: None
) -> list[tuple[str, Labels]]:
    """Return fitted models of each family, each on a random part of `data`, and networks of two widths, by name."""
    draw = np.random.default_rng(seed)
    x, y = data.x.reshape(len(data), -1), data.y
    made: list[tuple[str, Labels]] = []
    kinds = families(int(draw.integers(2**31)))
    for number, (name, make) in enumerate(kinds.items()):
        progress("innocent models", number, len(kinds) + len(_WIDTHS))
        for part in _PARTS:
            rows = _part(y, part, draw)
            made.append((name, _flat(_fitted(make(), x[rows], y[rows]).predict)))
    for number, width in enumerate(_WIDTHS):
        progress("innocent models", len(kinds) + number, len(kinds) + len(_WIDTHS))
        inside = np.zeros((_EACH, len(y)), bool)
        for one in range(_EACH):
            inside[one, _part(y, _PARTS[one % len(_PARTS)], draw)] = True
        stack = train(x, y, inside, Recipe((width,), "relu", 15, 32, 2e-3), int(draw.integers(2**31)))
        singles = [stack.one(one) for one in range(_EACH)]
        made += [("network", _flat(lambda z, one=one: one.logits(z)[0].argmax(axis=1))) for one in singles]  # type: ignore[misc]
    progress("innocent models", len(kinds) + len(_WIDTHS), len(kinds) + len(_WIDTHS))
    return made


def _fitted(model: Any, x: Array, y: Array) -> Any:
    """Return the model fitted: one that has not settled after a few steps is an innocent like any other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", need("sklearn.exceptions").ConvergenceWarning)
        return model.fit(x, y)


def _part(y: Array, share: float, draw: np.random.Generator) -> Array:
    """Return rows of a random part with every class in it."""
    order = draw.permutation(len(y))
    rows = order[: max(2, round(share * min(len(y), _MOST)))]
    missing = np.setdiff1d(np.unique(y), y[rows])
    return np.concatenate([rows, *(order[y[order] == one][:1] for one in missing)])


def _flat(labels: Labels) -> Labels:
    return lambda z: np.asarray(labels(z.reshape(len(z), -1)), dtype=np.int64)

"""Related records tell more than scores alone where they are related, and nothing is lost where they are not."""

import numpy as np
import pytest

from bartizan.lab.membership import related
from bartizan.lab.membership.attacks import ATTACKS
from bartizan.lab.membership.judge import roc
from bartizan.lab.membership.pooled import log_ratio
from bartizan.lab.membership.related import Kin, Related, attacks_on
from bartizan.lab.membership.shadows import balanced_halves
from bartizan.lab.membership.signals import Observed

N = 1200


def world(seed, likely):
    """Return records in clusters, labels, four references and a target: neighbours of the same class make sure.

    `likely` is how much of what a record shows its neighbours explain.
    """
    draw = np.random.default_rng(seed)
    centres = draw.normal(size=(60, 12))
    where = draw.integers(0, 60, N)
    x, y = centres[where] + 0.3 * draw.normal(size=(N, 12)), where % 3
    inside = np.concatenate([balanced_halves(N, 4, seed), draw.random((1, N)) < 0.5])
    together = (where[:, None] == where[None]) & ~np.eye(N, dtype=bool)
    near = (inside - 0.5) @ together
    hard = draw.normal(0, 2, 60)[where]
    noise = draw.normal(0, 1, inside.shape)
    confidence = likely * (hard + 0.5 * near) + 3 * inside + noise
    chance = 1 / (1 + np.exp(-np.clip(confidence, -30, 30)))
    other = np.stack([np.where(y == one, chance[..., :], (1 - chance) / 2) for one in range(3)], axis=-1)
    return x, y, Observed(other[4], other[:4], inside[:4], y), inside[4]


def gain(seed, likely):
    """Return by how much the area grows over the pooled estimator's."""
    x, y, seen, members = world(seed, likely)
    plain = log_ratio(seen.target_confidence, seen.reference_confidence, seen.inside)
    return roc(Related(Kin(x, y)).score(seen), members).auc - roc(plain, members).auc


def test_neighbours_tell_who_is_inside():
    """Where they decide how sure a model is."""
    assert min(gain(seed, 1.0) for seed in (1, 2)) > 0.02


def test_records_that_have_nothing_to_do_with_each_other_cost_little():
    """Covariates and pulls that explain nothing are given no weight."""
    assert abs(gain(3, 0.0)) < 0.01


def test_a_set_pulls_its_own_class_and_the_rest_apart():
    """Against a naive sum; how many of a class are inside does not count, nor does a record itself."""
    x, y, seen, _ = world(4, 1.0)
    kin = Kin(x[:30], y[:30])
    weights = seen.inside[:2, :30].astype(float)
    for one in range(3):
        weights[:, y[:30] == one] -= weights[:, y[:30] == one].mean(axis=1, keepdims=True)
    rows = x[:30] / np.linalg.norm(x[:30], axis=1, keepdims=True)
    apart = ((rows[:, None] - rows[None]) ** 2).sum(axis=2)
    near = np.exp(-3.0 * apart / np.median(apart)) * ~np.eye(30, dtype=bool)
    alike = y[:30, None] == y[None, :30]
    pulls = kin.pull(seen.inside[:2, :30])
    assert pulls[2] == pytest.approx(weights @ (near * alike), abs=1e-3)
    assert pulls[3] == pytest.approx(weights @ (near * ~alike), abs=1e-3)


def test_what_a_classifier_says_without_a_record_is_what_it_says_when_trained_without_it():
    """The short cut of leaving one out, against doing it."""
    draw = np.random.default_rng(5)
    near, y = np.exp(-np.abs(np.subtract.outer(*[np.sort(draw.normal(size=20))] * 2))), np.arange(20) % 2
    rest = np.arange(1, 20)
    weights = np.linalg.solve(near[np.ix_(rest, rest)] + 0.3 * np.eye(19), np.eye(2)[y[rest]])
    found = related._hardness(near.astype(np.float32), y)
    own, other = (found[0, at] * np.sign(1) for at in (1, 2))
    said = near[0, rest] @ weights
    assert own / other == pytest.approx(said[y[0]] / said[1 - y[0]] * _sizes(near, y), rel=1e-3)


def _sizes(near, y):
    """Return by what the two columns were divided, one over the other."""
    rows = []
    for row in range(len(y)):
        rest = np.delete(np.arange(len(y)), row)
        weights = np.linalg.solve(near[np.ix_(rest, rest)] + 0.3 * np.eye(len(rest)), np.eye(2)[y[rest]])
        said = near[row, rest] @ weights
        rows.append([said[y[row]], said[1 - y[row]]])
    own, other = np.sqrt((np.array(rows) ** 2).mean(axis=0))
    return other / own


def test_references_of_one_side_each_move_nothing():
    """Of two no record has two scores on a side: no effect can be told, and the pooled estimator is kept."""
    x, y, seen, _ = world(6, 1.0)
    pulls = Kin(x, y).pull(seen.inside[:2])
    assert not related._effect(seen.reference_confidence[:2], pulls, seen.inside[:2]).any()
    two = Observed(seen.target, seen.references[:2], seen.inside[:2], y)
    plain = log_ratio(two.target_confidence, two.reference_confidence, two.inside)
    assert (Related(Kin(x, y)).score(two) == plain).all()


def test_too_many_records_are_left_to_the_other_attacks(monkeypatch):
    """A matrix of all pairs has its limit."""
    x, y, _, _ = world(7, 1.0)
    assert [one.name for one in attacks_on(x, y)][-1] == Related.name
    monkeypatch.setattr(related, "MOST", 1000)
    assert attacks_on(x, y) == ATTACKS
    with pytest.raises(ValueError, match="at most 1000"):
        Kin(x, y)

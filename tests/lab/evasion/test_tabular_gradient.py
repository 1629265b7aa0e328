"""Gradients on rows: allowed rows only, more budget wins no less, without a bound all fall; search adds to it."""

import dataclasses
import functools

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tests.lab.evasion import test_tabular
from tests.lab.evasion.test_tabular import table

from bartizan.core.errors import BadSettings
from bartizan.lab.evasion.tabular import TabularSearch, judge_rows
from bartizan.lab.evasion.tabular_gradient import Capgd, constrained_attack
from bartizan.lab.target import Access
from bartizan.lab.targets.scikit import of_estimator

SCHEMA = dataclasses.replace(test_tabular.SCHEMA, immutable=(1, 6))


@functools.cache
def network():
    """A small network that tells the two classes of the table."""
    net = MLPClassifier((16,), max_iter=300, random_state=0, learning_rate_init=0.01)
    return of_estimator("net", make_pipeline(StandardScaler(), net).fit(*table(400)))


def success(attack, schema):
    """The share of rightly answered rows that an attack turns."""
    rows = table(150, seed=1)
    return judge_rows(network(), schema, *rows, attack(network(), schema, *rows), 0).value


def test_what_is_proposed_is_allowed():
    """Repairing it again changes nothing: types, groups, fixed and derived columns, the number of changes."""
    x, y = table(80, seed=1)
    found = Capgd(10, 2).perturb(network(), SCHEMA, x, y)
    np.testing.assert_allclose(SCHEMA.repaired(found, x), found, atol=1e-4)
    assert (found != x).any()


def test_more_steps_starts_reach_and_changes_win_no_less():
    """Each budget on its own; nothing at all without any reach or step."""
    assert success(Capgd(0, 1).perturb, SCHEMA) == 0
    assert success(Capgd(2, 1).perturb, SCHEMA) <= success(Capgd(20, 3).perturb, SCHEMA)
    shares = [
        success(Capgd().perturb, dataclasses.replace(SCHEMA, reach=reach, most_changed=most))
        for reach, most in ((0.0, 1), (0.1, 2), (0.3, 2), (0.3, 4), (1.0, 7))
    ]
    assert shares == sorted(shares)
    assert shares[2] > 0
    assert shares[-1] == 1


def test_a_group_is_changed_where_the_class_hangs_on_it():
    """One-hot columns have no gradient of their own: the free row behind them moves until another member leads."""
    x, _ = table(300)
    y = x[:, 3].astype(np.int64)
    net = MLPClassifier((8,), max_iter=300, random_state=0, learning_rate_init=0.02)
    target = of_estimator("group", make_pipeline(StandardScaler(), net).fit(x, y))
    schema = dataclasses.replace(SCHEMA, most_changed=1)
    assert judge_rows(target, schema, x[:60], y[:60], Capgd().perturb(target, schema, x[:60], y[:60]), 0).value > 0.95


def test_search_after_gradients_wins_at_least_as_much_as_either():
    """And does the work alone where there are no gradients."""
    both = success(constrained_attack, SCHEMA)
    assert both >= success(Capgd().perturb, SCHEMA)
    assert both >= success(TabularSearch().perturb, SCHEMA) - 1e-9
    x, y = table(20, seed=1)
    blind = network().seen_with(Access.SCORES)
    np.testing.assert_array_equal(constrained_attack(blind, SCHEMA, x, y), TabularSearch().perturb(blind, SCHEMA, x, y))
    with pytest.raises(BadSettings, match="needs the weights"):
        Capgd().perturb(blind, SCHEMA, x, y)

"""Rows stay rows: whatever is proposed, the judge asks only about what the schema allows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier

from bartizan.core.errors import BadSettings
from bartizan.lab.evasion.tabular import Schema, TabularSearch, hardened_rows, judge_rows
from bartizan.lab.targets.scikit import of_estimator

SCHEMA = Schema(
    low=np.array([0, 0, 0, 0, 0, 0, 0], np.float32),
    high=np.array([100, 10, 1, 1, 1, 1, 110], np.float32),
    integer=(0,),
    immutable=(1,),
    one_hot=((2, 3, 4),),
    most_changed=2,
    reach=0.15,
    derive=lambda rows: np.concatenate([rows[:, :6], rows[:, :1] + rows[:, 1:2]], axis=1),
)


def table(n, seed=0):
    """Rows whose first column tells the class with a wide gap, the sixth only nearly: a forest uses both."""
    draw = np.random.default_rng(seed)
    y = draw.integers(0, 2, n)
    x = np.zeros((n, 7), np.float32)
    x[:, 0] = np.where(y == 1, draw.integers(60, 101, n), draw.integers(0, 41, n))
    x[:, 1] = draw.uniform(0, 10, n)
    x[:, 5] = np.where(y == 1, draw.uniform(0.52, 1, n), draw.uniform(0, 0.48, n))
    x[np.arange(n), 2 + draw.integers(0, 3, n)] = 1
    return SCHEMA.derive(x), y.astype(np.int64)


@given(st.integers(0, 10**6), st.floats(0.1, 1000))
def test_what_is_repaired_is_a_row(seed, spread):
    """Types, ranges, groups, immutable and derived columns, and the number of changes, for any proposal."""
    x, _ = table(6, seed)
    rows = SCHEMA.repaired(x + spread * np.random.default_rng(seed).normal(size=x.shape), x)
    assert (rows >= SCHEMA.low - 1e-4).all()
    assert (rows <= SCHEMA.high + 1e-4).all()
    assert np.array_equal(rows[:, 1], x[:, 1])
    assert (rows[:, 2:5].sum(axis=1) == 1).all()
    assert (rows[:, 0] == np.round(rows[:, 0])).all()
    assert np.allclose(rows[:, 6], rows[:, 0] + rows[:, 1], atol=1e-4)
    group = (rows[:, 2:5] != x[:, 2:5]).any(axis=1)
    assert ((rows[:, [0, 5]] != x[:, [0, 5]]).sum(axis=1) + group <= 2).all()


def forest(x, y):
    """Fit a small forest."""
    return of_estimator("forest", RandomForestClassifier(20, random_state=0).fit(x, y))


def test_a_forest_falls_and_training_on_attacks_helps():
    """No gradients are needed; a proposal that does nothing wins nothing; more rounds win no less."""
    x, y = table(400)
    test, truth = table(150, seed=1)
    plain = forest(x, y)
    shares = []
    for search in (TabularSearch(1), TabularSearch(3)):
        found = judge_rows(plain, SCHEMA, test, truth, search.perturb(plain, SCHEMA, test, truth), 0)
        shares.append(found.value)
    assert 0.02 < shares[0] <= shares[1]
    assert judge_rows(plain, SCHEMA, test, truth, test, 0).value == 0
    hard = hardened_rows(SCHEMA, forest, x, y)
    after = judge_rows(hard, SCHEMA, test, truth, TabularSearch().perturb(hard, SCHEMA, test, truth), 0)
    assert after.value < shares[1]


def test_a_schema_that_contradicts_itself_is_refused():
    """Half an immutable group; a range upside down."""
    with pytest.raises(BadSettings, match="only in part"):
        Schema(np.zeros(3), np.ones(3), immutable=(0,), one_hot=((0, 1),))
    with pytest.raises(BadSettings, match="low above high"):
        Schema(np.ones(2), np.zeros(2))

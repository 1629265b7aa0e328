"""Measurements: exact intervals against known values, simulated coverage, bounds that respect the unlucky end."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bartizan.core.measures import AtLeast, AtMost, Measurement, bootstrap, proportion, quantile


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        (0, 10, 0.0, 0.30849710781876083),  # 1 - 0.025 ** (1/10)
        (10, 10, 0.6915028921812392, 1.0),
        (5, 10, 0.1870860284473045, 0.8129139715526955),  # R: binom.test(5, 10)
        (1, 100, 0.0002531460, 0.05445939),  # R: binom.test(1, 100)
        (949, 1000, 0.9334934, 0.9617833),
    ],
)
def test_clopper_pearson_gives_the_published_values(hits, n, low, high):
    """Closed forms at the ends, R's binom.test in the middle."""
    measured = proportion(hits, n, seed=0)
    assert measured.low == pytest.approx(low, abs=2e-4)
    assert measured.high == pytest.approx(high, abs=2e-4)


def naive_tail(n, k, p):
    """P(X >= k) by plain summing."""
    from math import comb

    return sum(comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_inverts_the_binomial_test(case):
    """At the lower end seeing this many or more has probability 2.5 %; the naive sum agrees."""
    hits, n = case
    measured = proportion(hits, n, seed=0)
    if hits > 0:
        assert naive_tail(n, hits, measured.low) == pytest.approx(0.025, abs=1e-6)
    if hits < n:
        assert 1 - naive_tail(n, hits + 1, measured.high) == pytest.approx(0.025, abs=1e-6)


def test_the_interval_covers_at_least_its_confidence():
    """2,000 simulated experiments at p = 0.07, n = 40: the exact interval is conservative."""
    draw = random.Random(1)
    cover = 0
    for _ in range(2000):
        hits = sum(draw.random() < 0.07 for _ in range(40))
        measured = proportion(hits, 40, seed=1)
        cover += measured.low <= 0.07 <= measured.high
    assert cover / 2000 >= 0.94


@pytest.mark.parametrize(("hits", "n"), [(1, 0), (-1, 5), (6, 5)])
def test_impossible_counts_are_refused(hits, n):
    """More hits than tries, or no tries, is our caller's bug."""
    with pytest.raises(ValueError, match="expected 0 <= hits <= n"):
        proportion(hits, n, seed=0)


def test_bootstrap_is_reproducible_and_contains_the_value():
    """The same seed gives the same interval."""
    values = [1.0, 2.0, 3.0, 10.0]
    first = quantile(values, 0.5, seed=3, unit="ms")
    assert first == quantile(values, 0.5, seed=3, unit="ms")
    assert first.low <= 2.5 <= first.high
    assert str(first) == f"2.5 [{first.low:.3g}, {first.high:.3g}] ms n=4"


def test_bootstrap_of_nothing_is_refused():
    """No data, no figure."""
    with pytest.raises(ValueError, match="no values"):
        bootstrap([], np.mean, seed=0, unit="ms")


def test_a_bound_holds_only_with_the_unlucky_end():
    """0 hits of 10 does not show a rate of at most 5 %."""
    lucky = proportion(0, 10, seed=0)
    assert not AtMost(0.05).holds(lucky)
    assert AtMost(0.31).holds(lucky)
    sure = proportion(10, 10, seed=0)
    assert AtLeast(0.69).holds(sure)
    assert not AtLeast(0.7).holds(sure)
    assert (str(AtMost(0.05)), str(AtLeast(0.1))) == ("≤ 0.05", "≥ 0.1")


def test_a_value_outside_its_interval_is_refused():
    """A figure that contradicts itself is never made."""
    with pytest.raises(ValueError, match="outside its interval"):
        Measurement(0.5, 0.6, 0.7, 3, 0)


def test_a_share_prints_as_percent():
    """People read percent."""
    assert str(proportion(1, 2, seed=0)).startswith("50.0% [1.3%, 98.7%] n=2")

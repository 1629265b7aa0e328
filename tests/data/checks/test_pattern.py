"""A second group that stands clear is a trigger; a continuum is not, however wide."""

import numpy as np
import pytest

from bartizan.data.checks.pattern import CLEAR, SPLIT, shared_pattern, split


def rows(seed):
    """Correlated rows of four classes in 30 dimensions."""
    rng = np.random.default_rng(seed)
    mix = rng.normal(0, 1, (30, 30)) / 5
    labels = np.repeat(np.arange(4), 250)
    return rng.normal(0, 1, (1000, 30)) @ mix + rng.normal(0, 3, (4, 30))[labels], labels, rng


@pytest.mark.parametrize("share", [0.03, 0.2, 0.6])
def test_rows_that_share_a_pattern_are_flagged(share):
    """Few, many, or most of a class: the side that is odd, not the smaller one."""
    values, labels, rng = rows(1)
    chosen = rng.choice(250, int(250 * share), replace=False)
    values[chosen] += 4 * rng.choice([-1, 1], 30)
    found = shared_pattern(values, labels, 4)
    assert sorted(np.flatnonzero(found.flagged)) == sorted(chosen)
    assert len(found.alarms) == 1
    assert "pattern shared by" in found.reasons[int(chosen[0])]


def test_rows_with_more_numbers_than_there_are_rows_are_read_the_same_way():
    """As pictures are: a class of 60 rows, 200 numbers each."""
    rng = np.random.default_rng(5)
    labels = np.repeat(np.arange(4), 60)
    values = rng.normal(0, 1, (240, 200)) @ (rng.normal(0, 1, (200, 200)) / 14)
    assert shared_pattern(values, labels, 4).alarms == ()
    values[60:72] += 8 * rng.choice([-1, 1], 200)
    found = shared_pattern(values, labels, 4)
    assert np.flatnonzero(found.flagged).tolist() == list(range(60, 72))


@pytest.mark.parametrize(("few", "apart", "alarmed"), [(6, 2.5, False), (6, 5, True), (20, 2.5, True)])
def test_the_fewer_rows_share_a_pattern_the_farther_they_must_lie_apart(few, apart, alarmed):
    """Six rows of sixty that are odd alike may be honest ones; twenty as odd, or six that are odder, are not."""
    values, labels, rng = rows(2)
    values[:few] += apart * 0.2 * rng.choice([-1, 1], 30)
    part = np.r_[0:60, 250:1000]
    assert bool(shared_pattern(values[part], labels[part], 4).alarms) == alarmed


def test_honest_rows_raise_no_alarm():
    """Nor do heavy tails."""
    for seed in range(5):
        values, labels, rng = rows(seed)
        values *= rng.standard_t(4, (1000, 1))
        assert shared_pattern(values, labels, 4).alarms == ()


def test_the_best_cut_is_found():
    """Between two heaps; a constant has none."""
    rng = np.random.default_rng(0)
    gain, clear, bound = split(np.concatenate([rng.normal(0, 1, 100), rng.normal(20, 1, 30)]))
    assert gain > SPLIT
    assert clear > CLEAR
    assert 4 < bound < 17
    assert split(rng.normal(0, 1, 500))[0] < 1.5
    assert split(np.ones(50))[:2] == (0.0, 0.0)

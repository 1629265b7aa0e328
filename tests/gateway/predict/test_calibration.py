"""Lines are drawn where honest inputs cross them at the rate that was asked for."""

import itertools

import numpy as np
import pytest
from tests.gateway.predict.traffic import BOUNDS, honest, profile

from bartizan.core.errors import BadRequest
from bartizan.gateway.predict.calibration import FEWEST, calibrated, line, traffic
from bartizan.gateway.predict.provenance import SIGNS


def test_with_enough_values_the_line_is_their_quantile():
    """One in a hundred of ten thousand."""
    values = np.random.default_rng(0).exponential(1, 10_000)
    assert line(values, 0.01) == pytest.approx(np.quantile(values, 0.99))


@pytest.mark.parametrize("seed", range(5))
def test_with_few_values_the_tail_is_continued(seed):
    """1,000 exponential values say where one in 10,000 is, about; never below the largest seen."""
    values = np.random.default_rng(seed).exponential(1, 1000)
    found = line(values, 1e-4)
    assert np.log(1e4) * 0.6 < found < np.log(1e4) * 1.5
    assert found >= values.max()


def test_a_milder_rate_draws_lower_lines():
    """For every sign."""
    mild = calibrated(honest()[0], BOUNDS, seed=5, rate=0.05, history=2000)
    assert all(getattr(mild.lines, sign) < getattr(profile().lines, sign) for sign in SIGNS)
    assert mild.facts["rate"] == 0.05


def test_honest_traffic_repeats_itself():
    """Exactly, and with noise; in its range."""
    profile_ = profile()
    inputs = traffic(honest()[0], (profile_.low, profile_.high), profile_.chosen, np.random.default_rng(1))
    apart = [np.abs(a - b).max() for a, b in itertools.pairwise(inputs)]
    assert len(inputs) > len(honest()[0]) * 1.02
    assert sum(one == 0 for one in apart) > 20
    assert sum(0 < one < 0.15 for one in apart) > 5
    assert min(one.min() for one in inputs) >= 0


def test_too_few_inputs_are_refused():
    """They would draw lines out of nothing."""
    with pytest.raises(BadRequest, match=f"{FEWEST} or more"):
        calibrated(honest()[0][:50], BOUNDS, seed=1)

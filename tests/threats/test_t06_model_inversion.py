"""T06 says what it is: no claim, no run, and advice all the same."""

from tests.threats.benches import bench

from bartizan.threats.base import State, prove
from bartizan.threats.t06_model_inversion import T06


def test_it_claims_nothing_and_is_shown_so():
    """A threat without a claim is never a pass."""
    assert prove(T06, bench()).state is State.NO_CLAIM
    assert T06.advice

"""T05 says what it is: no claim, no run, and advice all the same."""

from tests.threats.benches import bench

from bartizan.threats.base import State, prove
from bartizan.threats.t05_model_extraction import T05


def test_it_claims_nothing_and_is_shown_so():
    """A threat without a claim is never a pass."""
    assert prove(T05, bench()).state is State.NO_CLAIM
    assert T05.advice

"""Clocks: the system's moves by itself, the stopped one only when told."""

import pytest

from bartizan.core.clock import StoppedClock, SystemClock


def test_the_system_clock_never_goes_back():
    """Monotonic time grows; wall time is after 2020."""
    clock = SystemClock()
    assert clock.monotonic_ns() <= clock.monotonic_ns()
    assert clock.wall_ns() > 1_577_836_800 * 10**9


def test_the_stopped_clock_moves_only_when_told():
    """Half a second is half a second."""
    clock = StoppedClock(5)
    clock.advance(0.5)
    assert clock.wall_ns() == clock.monotonic_ns() == 500_000_005
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)

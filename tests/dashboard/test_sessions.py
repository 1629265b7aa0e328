"""Sessions end when idle and in any case; guessing becomes slow."""

import pytest

from bartizan.core.clock import StoppedClock
from bartizan.dashboard.people import Person
from bartizan.dashboard.sessions import FREE_TRIES, Sessions, Throttle

ANN, BOB = (Person(name, "viewer", "a hash", 0) for name in ("ann", "bob"))


@pytest.fixture
def clock():
    """A clock that stands still."""
    return StoppedClock()


def test_a_session_lives_while_it_is_used_but_not_for_ever(clock):
    """Idle for ten minutes, or an hour old."""
    sessions = Sessions(clock, idle_s=600, longest_s=3600)
    idle, used = sessions.begin(ANN), sessions.begin(BOB)
    for _ in range(7):
        clock.advance(500)
        assert sessions.find(used.token)
    clock.advance(200)
    assert sessions.find(idle.token) is None
    assert sessions.find(used.token) is None


def test_tokens_are_of_no_use_for_one_another(clock):
    """Each session has its own token and its own token for forms."""
    sessions = Sessions(clock, idle_s=600, longest_s=3600)
    first, second = sessions.begin(ANN), sessions.begin(ANN)
    assert len({first.token, second.token, first.csrf, second.csrf}) == 4
    assert sessions.find(first.csrf) is None
    assert sessions.find("") is None


def test_the_wait_doubles_and_ends_at_a_quarter_of_an_hour(clock):
    """Nothing for five failures, then 1, 2, 4 … seconds; success forgets them."""
    throttle = Throttle(clock)
    waits = []
    for _ in range(FREE_TRIES + 15):
        throttle.failed("name ann")
        waits.append(throttle.wait_s("name ann", "address x"))
    assert waits[: FREE_TRIES + 3] == [0, 0, 0, 0, 1, 2, 4, 8]
    assert waits[-1] == 900
    clock.advance(900)
    assert throttle.wait_s("name ann") == 0
    throttle.passed("name ann")
    throttle.failed("name ann")
    assert throttle.wait_s("name ann") == 0


def test_memory_stays_bounded_under_many_names(clock):
    """An attacker who invents names fills nothing."""
    throttle = Throttle(clock)
    for number in range(25_000):
        throttle.failed(f"name {number}")
    assert len(throttle._failures) <= 10_002

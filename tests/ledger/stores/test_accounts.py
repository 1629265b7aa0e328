"""The arithmetic of limits. What stores do with it is in tests/contracts/test_every_limit_store.py."""

from hypothesis import given
from hypothesis import strategies as st

from bartizan.ledger.stores.accounts import Account, View, admit, part, settle, spent
from bartizan.ledger.stores.base import MOST, Admitted, Amounts, Hold, Limit


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 50)), max_size=60))
def test_no_window_wherever_it_begins_holds_more_than_the_cap(steps):
    """Compared with the plain list of what was spent when."""
    limit, view, now, events = Limit("w", "budget", "money", 100, 7_000), View(), 0, []
    for number, (wait, amount) in enumerate(steps):
        now += wait
        asked = Hold(str(number), (limit,), Amounts(amount))
        if isinstance(admit(view, asked, 1000, now), Admitted):
            settle(view, asked, asked.amounts, now)
            events.append((now, amount))
        assert sum(amount for at, amount in events if now - 7_000 <= at) <= 100


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 5)), max_size=80))
def test_a_rate_never_passes_more_than_burst_and_rate_allow(steps):
    """In every interval between two admissions."""
    limit, view, now, events = Limit("r", "rate", "input", 10, 1_000, 7), View(), 0, []
    for number, (wait, amount) in enumerate(steps):
        now += wait
        if isinstance(admit(view, Hold(str(number), (limit,), Amounts(0, amount)), 1000, now), Admitted):
            events.append((now, amount))
    for start in range(len(events)):
        total = 0
        for at, amount in events[start:]:
            total += amount
            assert total * 1000 <= 7 * 1000 + (at - events[start][0]) * 10


def test_a_clock_that_goes_back_gives_nothing():
    """A rate does not refill from the past."""
    limit, view = Limit("r", "rate", "requests", 1, 1_000), View()
    assert isinstance(admit(view, Hold("a", (limit,), Amounts()), 1000, 10_000), Admitted)
    assert not isinstance(admit(view, Hold("b", (limit,), Amounts()), 1000, 5_000), Admitted)
    assert not isinstance(admit(view, Hold("c", (limit,), Amounts()), 1000, 10_500), Admitted)


def test_amounts_beyond_every_bound_saturate():
    """A lying provider cannot make numbers inexact."""
    limit, view = Limit("m", "budget", "money", 100), View()
    settle(view, Hold("a", (limit,), Amounts(1)), Amounts(2**80), 0)
    settle(view, Hold("b", (limit,), Amounts(1)), Amounts(2**80), 0)
    assert spent(view.accounts["m"], limit, 0) == MOST
    assert part(limit, 10**15) == 0
    assert spent(Account(), limit, 0) == 0

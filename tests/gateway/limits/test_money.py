"""Money is whole numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bartizan.core.errors import BadSettings
from bartizan.gateway.limits.money import NANO, cost, dollars, nano_dollars


@given(st.integers(0, 10**15))
def test_what_is_written_is_read_back(nano):
    """Nothing is rounded."""
    assert nano_dollars(dollars(nano).removeprefix("$")) == nano


@pytest.mark.parametrize("text", ["", "-1", "1e3", "1.0000000001", "12,50", "NaN", "12345678"])
def test_what_is_no_amount_is_refused(text):
    """With what was expected."""
    with pytest.raises(BadSettings, match="expected dollars"):
        nano_dollars(text)


@given(st.integers(0, 10**9), st.integers(0, 10**12))
def test_a_cost_is_rounded_up_and_by_less_than_one(tokens, rate):
    """In the budget's favour."""
    assert 0 <= cost(tokens, rate) * 1_000_000 - tokens * rate < 1_000_000
    assert dollars(-NANO // 2) == "-$0.50"

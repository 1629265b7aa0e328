"""Verdicts: the strictest wins, nothing decided is a block."""

from hypothesis import given
from hypothesis import strategies as st

from bartizan.core.verdicts import Allow, Ask, Block, Redact, strictest, verdict_name

ANY = st.sampled_from([Allow(), Redact("r"), Ask("a"), Block("b")])
ORDER = ["allow", "redact", "ask", "block"]


def test_nothing_decided_is_a_block():
    """An empty list of opinions lets nothing pass."""
    assert strictest([]) == Block("nothing decided")


@given(st.lists(ANY, min_size=1))
def test_the_strictest_of_any_list_wins(verdicts):
    """No order of the list changes the outcome's kind."""
    expected = max(ORDER.index(verdict_name(verdict)) for verdict in verdicts)
    assert verdict_name(strictest(verdicts)) == ORDER[expected]


def test_among_equals_the_first_reason_is_kept():
    """The earlier control is the one that gets the credit."""
    assert strictest([Block("first"), Block("second")]) == Block("first")

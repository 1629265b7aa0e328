"""The words of the limit protocol."""

import msgspec

from bartizan.ledger.stores.base import MOST, NOTHING, Amounts, Hold, Limit


def test_a_request_takes_one_slot_and_its_amounts():
    """Whatever it costs."""
    amounts = Amounts(1, 2, 3, 4)
    assert [amounts.of(unit) for unit in ("money", "input", "output", "requests", "slots")] == [1, 2, 3, 4, 1]
    assert NOTHING.of("requests") == 0


def test_a_hold_survives_being_written():
    """Stores keep it as bytes."""
    hold = Hold("a", (Limit("m", "budget", "money", MOST),), Amounts(MOST), ("key:a",))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(hold), type=Hold) == hold


def test_two_largest_amounts_add_up_exactly_in_a_double():
    """As Lua counts."""
    assert float(MOST) + float(MOST - 1) == MOST + MOST - 1

"""A booking is settled once, on what can be proved."""

import pytest

from bartizan.core.errors import UpstreamFailed
from bartizan.core.messages import Prompt, Usage
from bartizan.gateway.limits.booking import Booking
from bartizan.gateway.limits.bounds import Bound
from bartizan.gateway.limits.prices import Model, Price, Tier
from bartizan.gateway.testing import ScriptedAnswer
from bartizan.gateway.upstream import NotConnected
from bartizan.gateway.wires.base import Asked
from bartizan.ledger.stores.base import Amounts, Hold

PRICE = Price(Model("m", 1000, 100, (Tier("1", "10"),)))
HELD = Amounts(5_000_000, 100, 100, 1)


def booked(charged, price=PRICE):
    hold = Hold("h", (), HELD)
    asked = Asked(Prompt("m", ()))
    return Booking(asked, b"", hold, price, Bound(100, 100, 100), charge=lambda _, used: charged.append(used))


async def sent(booking, outcome):
    async def answer():
        if isinstance(outcome, Exception):
            raise outcome
        return ScriptedAnswer([], outcome)

    return await booking.sending(answer())


@pytest.mark.parametrize(
    ("outcome", "usage", "used"),
    [
        (200, Usage(10, 5), Amounts(60_000, 10, 5, 1)),
        (200, None, HELD),
        (500, Usage(10, 5), Amounts(0, 0, 0, 1)),
        (NotConnected("x"), None, Amounts(0, 0, 0, 1)),
        (UpstreamFailed("x"), None, HELD),
    ],
)
async def test_what_is_charged(outcome, usage, used):
    """The provider's count, nothing, or all that was held."""
    charged = []
    booking = booked(charged)
    if isinstance(outcome, Exception):
        with pytest.raises(UpstreamFailed):
            await sent(booking, outcome)
    else:
        await sent(booking, outcome)
    booking.settle(usage)
    booking.settle(Usage(1, 1))
    booking.returned()
    assert charged == [used]
    assert booking.charged == used.money


async def test_a_stream_is_not_settled_by_the_return_of_its_request():
    """It settles itself when it ends; what was never sent is free."""
    charged = []
    booking = booked(charged)
    booking.streams = True
    booking.returned()
    assert charged == []
    booking.streams = False
    booking.returned()
    assert charged == [Amounts(0, 0, 0, 1)]


async def test_nothing_held_is_nothing_to_settle():
    """Without limits a booking is only what is forwarded."""
    booking = Booking(Asked(Prompt("m", ())), b"x")
    booking.settle(Usage(1, 1))
    assert (booking.charged, booking.drains) == (None, False)

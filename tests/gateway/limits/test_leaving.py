"""A stream that is left is read on for its bill, within bounds."""

import asyncio

import pytest

from bartizan.core.errors import UpstreamFailed
from bartizan.core.messages import Prompt, Usage
from bartizan.gateway.encoding import Expander
from bartizan.gateway.limits.booking import Booking
from bartizan.gateway.limits.bounds import Bound
from bartizan.gateway.limits.leaving import Leaving
from bartizan.gateway.testing import ScriptedAnswer
from bartizan.gateway.wires.base import Asked
from bartizan.ledger.stores.base import Amounts, Hold


class Counting:
    """Takes each byte for one output token."""

    def __init__(self):
        self.usage = None

    def discard(self, data):
        self.usage = Usage(1, len(data) + (self.usage.output_tokens if self.usage else 0))


def left(pieces, drain_s=5.0):
    charged, told = [], []
    booking = Booking(
        Asked(Prompt("m", ())),
        b"",
        Hold("h", (), Amounts(0, 9, 99, 1)),
        None,
        Bound(9, 99, 99),
        charge=lambda _, used: charged.append(used.output),
        drain_s=drain_s,
        sent=True,
    )
    answer = ScriptedAnswer(pieces)
    return Leaving(booking, answer, Counting(), Expander(b"", 1000), told.append), answer, charged, told


async def finished(answer):
    for _ in range(50):
        if answer.released:
            return
        await asyncio.sleep(0.01)


async def test_an_abandoned_answer_is_read_to_its_end():
    """And billed exactly; leaving twice changes nothing."""
    leaving, answer, charged, told = left([b"abc", b"de"])
    leaving.leave(complete=False)
    leaving.leave(complete=False)
    await finished(answer)
    assert (charged, len(told)) == ([5], 1)


@pytest.mark.parametrize("pieces", [[b"abc", UpstreamFailed("cut")], None])
async def test_what_breaks_off_or_takes_too_long_is_charged_what_was_held(pieces):
    """A count in the middle of an answer is no bill."""
    leaving, answer, charged, _ = left(pieces or [b"abc"], 5.0 if pieces else 0.02)
    if pieces is None:

        async def never():
            await asyncio.sleep(9)

        answer.read = never
    leaving.leave(complete=False)
    await finished(answer)
    assert (charged, answer.released) == ([99], True)


async def test_a_complete_answer_and_one_that_is_not_drained_are_given_back_at_once():
    """Without waiting for anything."""
    leaving, answer, charged, told = left([b"abc"])
    leaving._guard.discard(b"1234567")
    leaving.bill()
    leaving.leave(complete=True)
    assert (charged, answer.released, told) == ([7], True, [])
    leaving, answer, charged, _ = left([b"abc"], 0.0)
    leaving.leave(complete=False)
    assert (charged, answer.released) == ([99], True)

"""Steps that are asked for together run together, in order, and fail together."""

import asyncio

import pytest

from bartizan.core.errors import UpstreamFailed
from bartizan.ledger.stores.base import NOTHING, Amounts, Hold, Limit
from bartizan.ledger.stores.steps import Admit, OneAfterAnother, Renew, Settle, Together, accounts_of, ids_of

HOLD = Hold("h", (Limit("a", "budget", "money", 5),), Amounts(1))


def numbered(log):
    def run(steps):
        log.append(len(steps))
        return [type(step).__name__ for step in steps]

    return run


async def test_one_turn_of_the_loop_is_one_transaction():
    """Three at once, then one."""
    log = []
    together = Together(numbered(log))
    asked = [together.ask(step) for step in (Admit(HOLD, 1), Settle(HOLD, NOTHING), Renew(("h",), 1))]
    assert await asyncio.gather(*asked) == ["Admit", "Settle", "Renew"]
    await together.ask(Admit(HOLD, 1))
    assert log == [3, 1]


async def test_a_settling_lingers_until_the_next_admission_and_comes_before_it():
    """And not for ever when there is none."""
    log = []
    together = Together(numbered(log), linger_s=0.02)
    settled = together.ask(Settle(HOLD, NOTHING))
    await asyncio.sleep(0)
    assert log == []
    assert await together.ask(Admit(HOLD, 1)) == "Admit"
    assert (settled.result(), log) == ("Settle", [2])
    assert await asyncio.wait_for(together.ask(Settle(HOLD, NOTHING)), 1) == "Settle"
    together.flush()
    assert log == [2, 1]


async def test_all_that_run_together_fail_together():
    """Each gets its own exception; the next ones run again."""
    fails = [True]

    def run(steps):
        if fails.pop() if fails else False:
            raise UpstreamFailed("disk")
        return [1] * len(steps)

    together = Together(run)
    found = await asyncio.gather(*(together.ask(Admit(HOLD, 1)) for _ in range(2)), return_exceptions=True)
    assert [str(error) for error in found] == ["disk", "disk"]
    assert found[0] is not found[1]
    assert await together.ask(Admit(HOLD, 1)) == 1


async def test_over_a_connection_others_gather_while_one_is_under_way():
    """The first alone, then all that came meanwhile."""
    log = []

    async def run(steps):
        log.append(len(steps))
        await asyncio.sleep(0.01)
        return [1] * len(steps)

    line = OneAfterAnother(run)
    first = line.ask(Admit(HOLD, 1))
    await asyncio.sleep(0)
    rest = [line.ask(Admit(HOLD, 1)) for _ in range(5)]
    rest[0].cancel()
    await asyncio.gather(first, *rest[1:])
    await line.finished()
    assert log == [1, 5]


async def test_after_a_failure_requests_fail_at_once_for_a_moment():
    """They do not each wait in vain."""
    tried = []

    async def run(steps):
        tried.append(1)
        raise UpstreamFailed("away")

    line = OneAfterAnother(run)
    for _ in range(3):
        with pytest.raises(UpstreamFailed, match="away"):
            await line.ask(Admit(HOLD, 1))
    assert len(tried) == 1


def test_what_steps_touch():
    """Accounts of admissions and settlings; ids of settlings and renewals, and of admissions where asked."""
    steps = [Admit(HOLD, 1), Renew(("x", "y"), 1)]
    assert accounts_of(steps, ()) == {"a"}
    assert ids_of(steps, admissions=False) == {"x", "y"}
    assert ids_of(steps, admissions=True) == {"h", "x", "y"}

"""Limits in memory. What all stores share is in tests/contracts/test_every_limit_store.py."""

from bartizan.core.clock import StoppedClock
from bartizan.ledger.stores.base import KEEP_MS, Amounts, Hold
from bartizan.ledger.stores.memory import MemoryStore


async def test_memory_does_not_grow_for_ever():
    """Settled holds are forgotten after an hour."""
    clock = StoppedClock()
    store = MemoryStore(clock)
    for number in range(100):
        asked = Hold(str(number), (), Amounts())
        await store.admit(asked, 1000)
        await store.settle(asked, Amounts())
    assert (store.open_holds, store.settled_holds) == (0, 100)
    clock.advance(KEEP_MS / 1000 + 1)
    await store.sweep()
    assert store.settled_holds == 0

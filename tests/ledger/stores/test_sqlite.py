"""Limits in SQLite. What all stores share is in tests/contracts/test_every_limit_store.py."""

import pytest

from bartizan.core.clock import StoppedClock
from bartizan.core.errors import UpstreamFailed
from bartizan.ledger.stores.base import KEEP_MS, Admitted, Amounts, Denied, Hold, Limit
from bartizan.ledger.stores.sqlite import SqliteStore

CAP = Limit("money", "budget", "money", 100)


async def test_two_processes_share_one_file_and_a_restart_forgets_nothing(tmp_path):
    """As seen by two connections."""
    path, clock = tmp_path / "deep" / "limits.sqlite", StoppedClock()
    first, second = SqliteStore(path, clock), SqliteStore(path, clock, full=True)
    asked = Hold("a", (CAP,), Amounts(60))
    assert isinstance(await first.admit(asked, 1000), Admitted)
    assert isinstance(await second.admit(Hold("b", (CAP,), Amounts(60)), 1000), Denied)
    await first.close()
    assert await second.settle(asked, Amounts(50))
    await second.close()
    third = SqliteStore(path, clock)
    assert [found.spent for found in await third.standings([CAP])] == [50]
    await third.close()


async def test_the_file_does_not_grow_for_ever(tmp_path):
    """Settled holds are deleted after an hour."""
    clock = StoppedClock()
    store = SqliteStore(tmp_path / "limits.sqlite", clock)
    for number in range(100):
        asked = Hold(str(number), (), Amounts())
        await store.admit(asked, 1000)
        await store.settle(asked, Amounts())
    clock.advance(KEEP_MS / 1000 + 1)
    for number in range(3):
        await store.admit(Hold(f"new{number}", (), Amounts()), 1000)
    assert store._db.execute("SELECT count(*) FROM held").fetchone() == (3,)
    await store.close()


def test_a_file_that_cannot_be_opened_is_told(tmp_path):
    """A folder is no database."""
    with pytest.raises(UpstreamFailed, match="cannot be opened"):
        SqliteStore(tmp_path, StoppedClock())


async def test_a_store_that_breaks_says_so(tmp_path):
    """Every caller hears of it and can refuse."""
    store = SqliteStore(tmp_path / "limits.sqlite", StoppedClock())
    await store.close()
    with pytest.raises(UpstreamFailed, match="cannot be kept"):
        await store.admit(Hold("a", (CAP,), Amounts(60)), 1000)

"""Limits in SQLite. What all stores share is in tests/contracts/test_every_limit_store.py."""

import pytest

from bartizan.core.clock import StoppedClock
from bartizan.core.errors import UpstreamFailed
from bartizan.ledger.stores.accounts import HELD, SETTLED, Row
from bartizan.ledger.stores.base import KEEP_MS, NOTHING, Admitted, Amounts, Denied, Hold, Limit
from bartizan.ledger.stores.sqlite import SqliteStore, encode

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
    """Settled holds are deleted when an hour and the one in which it ends are over."""
    clock = StoppedClock()
    store = SqliteStore(tmp_path / "limits.sqlite", clock)
    for number in range(100):
        asked = Hold(str(number), (), Amounts())
        await store.admit(asked, 1000)
        await store.settle(asked, Amounts())
    await store.sweep()
    assert store._db.execute("SELECT count(*) FROM settled").fetchone() == (100,)
    clock.advance(2 * KEEP_MS / 1000 + 1)
    for number in range(3):
        await store.admit(Hold(f"new{number}", (), Amounts()), 1000)
    await store.sweep()
    assert store._db.execute("SELECT count(*) FROM settled").fetchone() == (0,)
    assert store._db.execute("SELECT count(*) FROM holding").fetchone() == (3,)
    await store.close()


async def test_what_another_process_did_is_never_overlooked(tmp_path):
    """Its switch, its spending, its charge for a lease that ran out, and its settling of our hold."""
    path, clock = tmp_path / "limits.sqlite", StoppedClock()
    ours, theirs = SqliteStore(path, clock), SqliteStore(path, clock)
    first, late, shared = (Hold(name, (CAP,), Amounts(20), ("key:a",)) for name in ("first", "late", "shared"))
    for asked in (first, late, shared):
        assert isinstance(await ours.admit(asked, 1000 if asked is late else 60_000), Admitted)
    assert isinstance(await theirs.admit(Hold("more", (CAP,), Amounts(40)), 60_000), Admitted)
    assert isinstance(await ours.admit(Hold("most", (CAP,), Amounts(1)), 60_000), Denied)
    clock.advance(2)
    assert await theirs.sweep() == 1
    assert await theirs.settle(shared, Amounts(5))
    assert not await ours.settle(shared, Amounts(5))
    assert await ours.settle(late, Amounts(7))
    assert await ours.settle(first, Amounts(20))
    (found,) = await ours.standings([CAP])
    assert (found.spent, found.held) == (32, 40)
    await theirs.switch("key:a", "stolen")
    assert await ours.admit(Hold("next", (CAP,), Amounts(1), ("key:a",)), 1000) == Denied("off", "key:a")
    await ours.close()
    await theirs.close()


async def test_a_step_that_failed_leaves_nothing_in_memory(tmp_path):
    """A file that could not be written decides what comes next, not what was computed before it failed."""
    path, clock = tmp_path / "limits.sqlite", StoppedClock()
    store = SqliteStore(path, clock)
    await store.admit(Hold("a", (CAP,), Amounts(60)), 60_000)
    store._db.execute("PRAGMA query_only = ON")
    with pytest.raises(UpstreamFailed, match="cannot be kept"):
        await store.admit(Hold("b", (CAP,), Amounts(30)), 60_000)
    store._db.execute("PRAGMA query_only = OFF")
    (found,) = await store.standings([CAP])
    assert found.held == 60
    assert isinstance(await store.admit(Hold("b", (CAP,), Amounts(40)), 60_000), Admitted)
    await store.close()


async def test_a_commit_that_fails_is_undone_and_the_same_hold_can_be_asked_for_again(tmp_path):
    """The store works on, and what it then says is held is in the file for a process that opens it."""
    path, clock = tmp_path / "limits.sqlite", StoppedClock()
    store, asked = SqliteStore(path, clock), Hold("a", (CAP,), Amounts(60))
    store._db.executescript(
        "PRAGMA foreign_keys = ON; CREATE TABLE parent (x PRIMARY KEY);"
        "CREATE TABLE child (x REFERENCES parent DEFERRABLE INITIALLY DEFERRED);"
        "CREATE TRIGGER refuse AFTER INSERT ON holding BEGIN INSERT INTO child VALUES (1); END;"
    )
    with pytest.raises(UpstreamFailed, match="cannot be kept"):
        await store.admit(asked, 60_000)
    store._db.execute("DROP TRIGGER refuse")
    assert isinstance(await store.admit(asked, 60_000), Admitted)
    await store.close()
    clock.advance(61)
    store = SqliteStore(path, clock)
    assert await store.sweep() == 1
    assert [(found.spent, found.held) for found in await store.standings([CAP])] == [(60, 0)]
    await store.close()


async def test_holds_of_an_older_file_are_brought_over(tmp_path):
    """What was held stays held until it is settled or its lease ends; what was settled stays settled."""
    path, clock = tmp_path / "limits.sqlite", StoppedClock()
    store, now = SqliteStore(path, clock), clock.wall_ns() // 1_000_000
    held, done = Hold("held", (CAP,), Amounts(60)), Hold("done", (CAP,), Amounts(10))
    await store.admit(held, 60_000)
    store._db.executescript("DELETE FROM holding; CREATE TABLE held (id TEXT PRIMARY KEY, until_ms INT, state BLOB)")
    rows = [Row(held, HELD, now + 60_000), Row(Hold("done", (), NOTHING), SETTLED, now + KEEP_MS)]
    store._db.executemany(
        "INSERT INTO held VALUES (?, ?, ?)", [(row.hold.id, row.until_ms, encode(row)) for row in rows]
    )
    await store.close()
    store = SqliteStore(path, clock)
    assert not await store.settle(done, Amounts(10))
    assert await store.settle(held, Amounts(50))
    assert [(found.spent, found.held) for found in await store.standings([CAP])] == [(50, 0)]
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

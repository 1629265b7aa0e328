"""One setting names the store."""

from bartizan.core.clock import SystemClock
from bartizan.ledger.stores.memory import MemoryStore
from bartizan.ledger.stores.opening import open_store
from bartizan.ledger.stores.postgres import PostgresStore
from bartizan.ledger.stores.redis import RedisStore
from bartizan.ledger.stores.sqlite import SqliteStore


async def test_memory_or_a_file(tmp_path):
    """A word or a path."""
    assert isinstance(open_store("memory", SystemClock()), MemoryStore)
    store = open_store(str(tmp_path / "a" / "limits.sqlite"), SystemClock(), full=True)
    assert isinstance(store, SqliteStore)
    await store.close()
    assert (tmp_path / "a" / "limits.sqlite").exists()


async def test_or_a_server():
    """By the scheme of a URL; nothing is connected yet."""
    assert isinstance(open_store("redis://127.0.0.1:1", SystemClock()), RedisStore)
    assert isinstance(open_store("postgresql://127.0.0.1:1/x", SystemClock()), PostgresStore)

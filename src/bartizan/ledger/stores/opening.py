"""Opens the store of limits that one setting names."""

from pathlib import Path

from bartizan.core.clock import Clock
from bartizan.ledger.stores.base import Store
from bartizan.ledger.stores.memory import MemoryStore
from bartizan.ledger.stores.postgres import PostgresStore
from bartizan.ledger.stores.redis import RedisStore
from bartizan.ledger.stores.sqlite import SqliteStore

MEMORY = "memory"
_REDIS = ("redis://", "rediss://", "valkey://", "valkeys://", "unix://")
_POSTGRES = ("postgresql://", "postgres://")
_LINGER_S = 0.005


def open_store(where: str, clock: Clock, *, full: bool = False) -> Store:
    """Return the store at `where`: `memory`, a server's URL, or the path of a SQLite file.

    `full` makes a file survive power cuts; servers decide that for themselves. Raises UpstreamFailed, BadSettings.
    """
    if where == MEMORY:
        return MemoryStore(clock)
    if where.startswith(_REDIS):
        return RedisStore(where)
    if where.startswith(_POSTGRES):
        return PostgresStore(where)
    return SqliteStore(Path(where), clock, full=full, linger_s=_LINGER_S)

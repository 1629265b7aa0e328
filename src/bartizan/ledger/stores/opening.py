"""Opens the store of limits that one setting names."""

from pathlib import Path

from bartizan.core.clock import Clock
from bartizan.ledger.stores.base import Store
from bartizan.ledger.stores.memory import MemoryStore
from bartizan.ledger.stores.sqlite import SqliteStore

MEMORY = "memory"


def open_store(where: str, clock: Clock, *, full: bool = False) -> Store:
    """Return the store at `where`: `memory`, or the path of a SQLite file. Raises UpstreamFailed."""
    if where == MEMORY:
        return MemoryStore(clock)
    return SqliteStore(Path(where), clock, full=full)

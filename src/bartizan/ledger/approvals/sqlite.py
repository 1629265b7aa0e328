"""The queue in one SQLite file, which gateway, dashboard and command line open at once."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bartizan.core.errors import BadEvidence
from bartizan.ledger.tables.sqlite import connect

SCHEMA = """
CREATE TABLE IF NOT EXISTS held (
    id TEXT PRIMARY KEY, key TEXT NOT NULL, principal TEXT NOT NULL, at_ns INTEGER NOT NULL, until_ns INTEGER NOT NULL,
    question BLOB NOT NULL, state TEXT NOT NULL, who TEXT NOT NULL, why TEXT NOT NULL,
    answered_ns INTEGER NOT NULL, used_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS held_key ON held (key, at_ns);
CREATE INDEX IF NOT EXISTS held_state ON held (state, at_ns);
CREATE TABLE IF NOT EXISTS endorsed (
    id TEXT PRIMARY KEY, until_ns INTEGER NOT NULL, body BLOB NOT NULL, revoked_ns INTEGER NOT NULL
) WITHOUT ROWID;
"""


class SqliteRows:
    """The rows in one file."""

    def __init__(self, path: Path) -> None:
        """Open the file, or start it. Raises BadEvidence."""
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = connect(path)
            self._db.executescript(SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise BadEvidence(f"the approvals in {path} cannot be opened: {error}") from error

    @property
    def name(self) -> str:
        """Return the path."""
        return str(self._path)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the write lock."""
        self.run("BEGIN IMMEDIATE")
        try:
            yield
            self.run("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def run(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement."""
        try:
            return self._db.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise BadEvidence(f"the approvals in {self._path} cannot be used: {error}") from error

    def close(self) -> None:
        """Close the file."""
        self._db.close()

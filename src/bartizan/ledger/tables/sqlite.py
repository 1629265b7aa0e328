"""A log in one SQLite file: WAL mode with full synchronisation, so that a commit is on the disk when it returns.

Several processes on one machine may append: SQLite's write lock makes one sequence of them.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bartizan.core.errors import BadEvidence
from bartizan.ledger.tables.base import Content, Leaf, Node, Row, Whole

DATABASE = "ledger.sqlite"
_MOST_ROWS = 64

_SCHEMA = """
CREATE TABLE IF NOT EXISTS leaf (seq INTEGER PRIMARY KEY, record BLOB NOT NULL, hash BLOB NOT NULL, kind TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS leaf_kind ON leaf (kind, seq);
CREATE TABLE IF NOT EXISTS body (seq INTEGER PRIMARY KEY, salt BLOB NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS node (
    level INTEGER, idx INTEGER, hash BLOB NOT NULL, PRIMARY KEY (level, idx)
) WITHOUT ROWID;
"""
# A forger may also change the type of a value: the cast makes bytes of whatever stands there.
_WHOLE = (
    "SELECT leaf.seq, CAST(record AS BLOB), CAST(hash AS BLOB), kind, CAST(salt AS BLOB), CAST(body AS BLOB) "
    "FROM leaf LEFT JOIN body USING (seq) ORDER BY leaf.seq"
)


class SqliteTables:
    """The tables in one file."""

    def __init__(self, folder: Path) -> None:
        """Open the file in `folder`, or start it there. Raises BadEvidence."""
        self._folder = folder
        try:
            self._db = connect(folder / DATABASE)
            self._db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise BadEvidence(f"the ledger in {folder} cannot be opened, its database is damaged: {error}") from error

    @property
    def name(self) -> str:
        """Return the folder."""
        return str(self._folder)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the write lock."""
        with self._errors("written"), self._transaction("BEGIN IMMEDIATE"):
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold one snapshot."""
        with self._errors("read"), self._transaction("BEGIN"):
            yield

    def size(self) -> int:
        """Return how many leaves there are."""
        with self._errors("read"):
            return int(self._db.execute("SELECT coalesce(max(seq) + 1, 0) FROM leaf").fetchone()[0])

    def node(self, level: int, idx: int) -> bytes | None:
        """Return the stored hash of a subtree."""
        with self._errors("read"):
            row = self._db.execute("SELECT hash FROM node WHERE level = ? AND idx = ?", (level, idx)).fetchone()
        return None if row is None else bytes(row[0])

    def leaf_hashes(self, first: int, count: int) -> list[bytes]:
        """Return the hashes of up to `count` leaves from `first` on."""
        query = "SELECT hash FROM leaf WHERE seq >= ? AND seq < ? ORDER BY seq"
        with self._errors("read"):
            return [bytes(row[0]) for row in self._db.execute(query, (first, first + count))]

    def add(self, leaves: Sequence[Leaf], contents: Sequence[Content], nodes: Sequence[Node]) -> None:
        """Insert rows."""
        self._insert("leaf", leaves)
        self._insert("body", contents)
        self._insert("node", nodes)

    def forget(self, seq: int) -> bool:
        """Delete a content."""
        return self._db.execute("DELETE FROM body WHERE seq = ?", (seq,)).rowcount > 0

    def scrub(self) -> None:
        """Empty the write-ahead log: a deleted content would live on there."""
        with self._errors("written"):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def rows(self, first: int, count: int) -> list[Row]:
        """Return rows in order."""
        return self._rows("WHERE leaf.seq >= ? ORDER BY leaf.seq LIMIT ?", (first, count))

    def mentioning(self, word: bytes, first: int, count: int) -> list[Row]:
        """Return the rows whose body holds `word`."""
        where = "WHERE leaf.seq >= ? AND leaf.seq < ? AND instr(body, ?) > 0 ORDER BY leaf.seq"
        return self._rows(where, (first, first + count, word))

    def latest(self, kind: str, count: int, below: int) -> list[Row]:
        """Return the last rows of a kind."""
        return self._rows("WHERE leaf.kind = ? AND leaf.seq < ? ORDER BY leaf.seq DESC LIMIT ?", (kind, below, count))

    def counts(self) -> dict[str, int]:
        """Return how many leaves of each kind there are."""
        with self._errors("read"):
            return dict(self._db.execute("SELECT kind, count(*) FROM leaf GROUP BY kind"))

    def everything(self) -> Iterator[Whole]:
        """Yield every leaf with its content."""
        with self._errors("read"):
            yield from self._db.execute(_WHOLE)

    def nodes(self) -> Iterator[Node]:
        """Yield every stored subtree hash."""
        with self._errors("read"):
            yield from map(Node._make, self._db.execute("SELECT level, idx, hash FROM node"))

    def strays(self) -> list[int]:
        """Return the numbers of contents without a leaf."""
        with self._errors("read"):
            found = self._db.execute("SELECT seq FROM body WHERE seq NOT IN (SELECT seq FROM leaf)")
            return [seq for (seq,) in found]

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _rows(self, where: str, values: tuple[int | str | bytes, ...]) -> list[Row]:
        query = f"SELECT record, hash, body FROM leaf LEFT JOIN body USING (seq) {where}"  # noqa: S608 - `where` is ours
        with self._errors("read"):
            return self._db.execute(query, values).fetchall()

    def _insert(self, table: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Insert rows, many in one statement: a busy thread beside us gets the interpreter once, not at every row."""
        done = 0
        while done < len(rows):
            count = min(_MOST_ROWS, 1 << (len(rows) - done).bit_length() - 1)  # few sizes, so statements stay prepared
            marks = ", ".join([f"({', '.join('?' * len(rows[0]))})"] * count)
            values = [value for row in rows[done : done + count] for value in row]
            self._db.execute(f"INSERT INTO {table} VALUES {marks}", values)  # noqa: S608 - `table` is ours
            done += count

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        self._db.execute(begin)
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise BadEvidence(f"the ledger in {self._folder} cannot be {what}: {error}") from error
        except sqlite3.Error as error:
            raise BadEvidence(f"the ledger in {self._folder} cannot be {what}, it is damaged: {error}") from error


def connect(path: Path) -> sqlite3.Connection:
    """Open a database so that a commit is on the disk when it returns (WAL, synchronous=FULL)."""
    db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA secure_delete = ON")
    return db

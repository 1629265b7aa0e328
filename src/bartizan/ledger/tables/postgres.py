"""A log in PostgreSQL, for gateways on several machines: an advisory lock makes one sequence of all writers.

An erased content is gone for whoever asks the database at once, and from its files after VACUUM and once archived
write-ahead logs are gone: that is the database's business. Needs `pip install 'bartizan[stores]'`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from bartizan.ledger.database import Database
from bartizan.ledger.tables.base import Content, Leaf, Node, Row, Whole

_AT_A_TIME = 2000
_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS {space};
CREATE TABLE IF NOT EXISTS {space}.leaf (
    seq bigint PRIMARY KEY, record bytea NOT NULL, hash bytea NOT NULL, kind text NOT NULL
);
CREATE INDEX IF NOT EXISTS leaf_kind ON {space}.leaf (kind, seq);
CREATE TABLE IF NOT EXISTS {space}.body (seq bigint PRIMARY KEY, salt bytea NOT NULL, body bytea NOT NULL);
CREATE TABLE IF NOT EXISTS {space}.node (level bigint, idx bigint, hash bytea NOT NULL, PRIMARY KEY (level, idx));
"""
_ADD = (
    "INSERT INTO {space}.leaf SELECT * FROM unnest(%b::bigint[], %b::bytea[], %b::bytea[], %b::text[])",
    "INSERT INTO {space}.body SELECT * FROM unnest(%b::bigint[], %b::bytea[], %b::bytea[])",
    "INSERT INTO {space}.node SELECT * FROM unnest(%b::bigint[], %b::bigint[], %b::bytea[])",
)


class PostgresTables(Database):
    """The tables in one schema of a database."""

    what, schema, last_made = "ledger", _SCHEMA, "node"

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the lock of all writers until the transaction ends. Each statement then sees what others committed."""
        with self._errors("written"), self._connected().transaction():
            self._lock()
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold one snapshot."""
        with self._errors("read"), self._connected().transaction():
            self._do("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield

    def size(self) -> int:
        """Return how many leaves there are."""
        with self._errors("read"):
            return int(self._all("SELECT coalesce(max(seq) + 1, 0) FROM {space}.leaf")[0][0])

    def node(self, level: int, idx: int) -> bytes | None:
        """Return the stored hash of a subtree."""
        with self._errors("read"):
            rows = self._all("SELECT hash FROM {space}.node WHERE level = %s AND idx = %s", (level, idx))
        return bytes(rows[0][0]) if rows else None

    def leaf_hashes(self, first: int, count: int) -> list[bytes]:
        """Return the hashes of up to `count` leaves from `first` on."""
        query = "SELECT hash FROM {space}.leaf WHERE seq >= %s AND seq < %s ORDER BY seq"
        with self._errors("read"):
            return [bytes(row[0]) for row in self._all(query, (first, first + count))]

    def add(self, leaves: Sequence[Leaf], contents: Sequence[Content], nodes: Sequence[Node]) -> None:
        """Insert rows, one statement a table."""
        for statement, rows in zip(_ADD, (leaves, contents, nodes), strict=True):
            if rows:
                self._do(statement, [list(column) for column in zip(*rows, strict=True)])

    def forget(self, seq: int) -> bool:
        """Delete a content."""
        return int(self._do("DELETE FROM {space}.body WHERE seq = %s", (seq,)).rowcount) > 0

    def scrub(self) -> None:
        """Let the server reuse the space of deleted contents."""
        with self._errors("written"):
            self._do("VACUUM {space}.body")

    def rows(self, first: int, count: int) -> list[Row]:
        """Return rows in order."""
        return self._rows("seq >= %s ORDER BY seq LIMIT %s", "seq", (first, count))

    def mentioning(self, word: bytes, first: int, count: int) -> list[Row]:
        """Return the rows whose body holds `word`."""
        query = (
            "SELECT record, hash, body FROM {space}.body JOIN {space}.leaf USING (seq) "
            "WHERE seq >= %s AND seq < %s AND position(%b IN body) > 0 ORDER BY seq"
        )
        with self._errors("read"):
            return [(bytes(one[0]), bytes(one[1]), one[2]) for one in self._all(query, (first, first + count, word))]

    def latest(self, kind: str, count: int, below: int) -> list[Row]:
        """Return the last rows of a kind."""
        return self._rows("kind = %s AND seq < %s ORDER BY seq DESC LIMIT %s", "seq DESC", (kind, below, count))

    def counts(self) -> dict[str, int]:
        """Return how many leaves of each kind there are."""
        with self._errors("read"):
            return dict(
                cast("list[tuple[str, int]]", self._all("SELECT kind, count(*) FROM {space}.leaf GROUP BY kind"))
            )

    def everything(self) -> Iterator[Whole]:
        """Yield every leaf with its content."""
        query = (
            "SELECT leaf.seq, record, hash, kind, salt, body "
            "FROM {space}.leaf LEFT JOIN {space}.body ON body.seq = leaf.seq ORDER BY leaf.seq"
        )
        yield from self._streamed("everything", query)

    def nodes(self) -> Iterator[Node]:
        """Yield every stored subtree hash."""
        yield from map(Node._make, self._streamed("nodes", "SELECT level, idx, hash FROM {space}.node"))

    def strays(self) -> list[int]:
        """Return the numbers of contents without a leaf."""
        query = "SELECT seq FROM {space}.body WHERE NOT EXISTS (SELECT FROM {space}.leaf WHERE leaf.seq = body.seq)"
        with self._errors("read"):
            return [seq for (seq,) in self._all(query)]

    def _rows(self, which: str, order: str, values: tuple[int | str, ...]) -> list[Row]:
        """Choose leaves, then fetch their contents: a join of both first may walk through all contents."""
        query = (
            f"SELECT record, hash, body FROM (SELECT * FROM {{space}}.leaf WHERE {which}) AS chosen "  # noqa: S608 - ours
            f"LEFT JOIN {{space}}.body USING (seq) ORDER BY {order}"
        )
        with self._errors("read"):
            return [(bytes(one[0]), bytes(one[1]), one[2]) for one in self._all(query, values)]

    def _streamed(self, name: str, query: str) -> Iterator[Any]:
        with self._errors("read"), self._connected().cursor(name, binary=True) as cursor:
            cursor.itersize = _AT_A_TIME
            cursor.execute(self._named(query))
            yield from cursor

    def _do(self, statement: str, values: Sequence[Any] | None = None) -> Any:
        return self._connected().execute(self._named(statement), values, binary=True)

    def _all(self, statement: str, values: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self._do(statement, values).fetchall()
        return rows

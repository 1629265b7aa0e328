"""A log in PostgreSQL, for gateways on several machines: an advisory lock makes one sequence of all writers.

What was appended survives what the server's commits survive; a server that commits asynchronously is told not to for
our transactions. An erased content is gone for whoever asks the database at once, and from its files after VACUUM and
once archived write-ahead logs are gone: that is the database's business. Needs `pip install 'bartizan[stores]'`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from bartizan.core.errors import BadEvidence, BadSettings
from bartizan.ledger.tables.base import Content, Leaf, Node, Row, Whole

if TYPE_CHECKING:
    from psycopg import Connection

_CONNECT_S = 5
_SILENT_MS = 15_000
"""A server that does not answer for so long is taken for gone."""
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
_NEVER_ASYNCHRONOUS = (
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
)
_ADD = (
    "INSERT INTO {space}.leaf SELECT * FROM unnest(%b::bigint[], %b::bytea[], %b::bytea[], %b::text[])",
    "INSERT INTO {space}.body SELECT * FROM unnest(%b::bigint[], %b::bytea[], %b::bytea[])",
    "INSERT INTO {space}.node SELECT * FROM unnest(%b::bigint[], %b::bigint[], %b::bytea[])",
)


class PostgresTables:
    """The tables in one schema of a database."""

    def __init__(self, url: str, space: str) -> None:
        """Use the schema `space` of the database at `url`; make what is missing. Raises BadSettings, BadEvidence."""
        try:
            import psycopg
        except ImportError as error:
            raise BadSettings(
                "ledger.database names a PostgreSQL database, and its client is not installed",
                hint="pip install 'bartizan[stores]'",
            ) from error
        if not space.isidentifier() or not space.isascii():
            raise BadSettings(f"ledger.schema = {space!r}: expected letters, digits and _")
        self._psycopg, self._url, self._space = psycopg, url, space
        self._db: Connection[tuple[Any, ...]] | None = None
        with self._errors("opened"):
            self._connected()

    @property
    def name(self) -> str:
        """Return host, database and schema; the URL may hold a password."""
        return shown(self._url, self._space)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the lock of all writers until the transaction ends. Each statement then sees what others committed."""
        with self._errors("written"), self._connected().transaction():
            self._do("SELECT pg_advisory_xact_lock(hashtext(%s))", (f"bartizan ledger {self._space}",))
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

    def close(self) -> None:
        """Close the connection."""
        if self._db is not None:
            self._db.close()

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

    def _named(self, statement: str) -> Any:
        return statement.replace("{space}", f'"{self._space}"')

    def _do(self, statement: str, values: Sequence[Any] | None = None) -> Any:
        return self._connected().execute(self._named(statement), values, binary=True)

    def _all(self, statement: str, values: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self._do(statement, values).fetchall()
        return rows

    def _connected(self) -> "Connection[tuple[Any, ...]]":
        if self._db is None or self._db.closed:
            self._db = self._psycopg.connect(
                self._url, autocommit=True, connect_timeout=_CONNECT_S, tcp_user_timeout=_SILENT_MS
            )
            if self._all("SELECT to_regclass(%s)", (f'"{self._space}".node',)) == [(None,)]:
                self._make()
            self._db.execute(_NEVER_ASYNCHRONOUS)
        return self._db

    def _make(self) -> None:
        db = self._connected()
        with db.transaction():
            self._do("SELECT pg_advisory_xact_lock(hashtext(%s))", (f"bartizan ledger {self._space}",))
            db.execute(self._named(_SCHEMA))

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except (self._psycopg.Error, OSError) as error:
            said = str(error).strip().splitlines()[:1]
            raise BadEvidence(f"the ledger in {self.name} cannot be {what}: {' '.join(said)}") from error


def shown(url: str, space: str) -> str:
    """Return host, database and schema of a log's database, without a password."""
    parts = urlsplit(url)
    return f"{parts.hostname or 'local'}{parts.path} (schema {space})"

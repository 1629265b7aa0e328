"""The queue in PostgreSQL, for gateways on several machines. Needs `pip install 'bartizan[stores]'`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bartizan.core.errors import BadEvidence, BadSettings
from bartizan.ledger.tables.postgres import shown

if TYPE_CHECKING:
    from psycopg import Connection

_CONNECT_S = 5
_SILENT_MS = 15_000
_SPACE = "bartizan_approvals"
_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS {space};
CREATE TABLE IF NOT EXISTS {space}.held (
    id text PRIMARY KEY, key text NOT NULL, principal text NOT NULL, at_ns bigint NOT NULL, until_ns bigint NOT NULL,
    question bytea NOT NULL, state text NOT NULL, who text NOT NULL, why text NOT NULL,
    answered_ns bigint NOT NULL, used_ns bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS held_key ON {space}.held (key, at_ns);
CREATE INDEX IF NOT EXISTS held_state ON {space}.held (state, at_ns);
CREATE TABLE IF NOT EXISTS {space}.endorsed (
    id text PRIMARY KEY, until_ns bigint NOT NULL, body bytea NOT NULL, revoked_ns bigint NOT NULL
);
"""


class PostgresRows:
    """The rows in one schema of a database."""

    def __init__(self, url: str, space: str = _SPACE) -> None:
        """Use the schema `space` of the database at `url`; make what is missing. Raises BadSettings, BadEvidence."""
        try:
            import psycopg
        except ImportError as error:
            raise BadSettings(
                "approvals.database names a PostgreSQL database, and its client is not installed",
                hint="pip install 'bartizan[stores]'",
            ) from error
        if not space.isidentifier() or not space.isascii():
            raise BadSettings(f"schema {space!r}: expected letters, digits and _")
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
        """Hold the lock of all writers until the transaction ends."""
        with self._errors("used"), self._connected().transaction():
            self._lock()
            yield

    def run(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement."""
        with self._errors("used"):
            done = self._connected().execute(_ours(statement), values, binary=True)
            return done.fetchall() if done.description else []

    def close(self) -> None:
        """Close the connection."""
        if self._db is not None:
            self._db.close()

    def _lock(self) -> None:
        self._connected().execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (f"bartizan approvals {self._space}",))

    def _connected(self) -> "Connection[tuple[Any, ...]]":
        if self._db is None or self._db.closed:
            self._db = self._psycopg.connect(
                self._url, autocommit=True, connect_timeout=_CONNECT_S, tcp_user_timeout=_SILENT_MS
            )
            with self._db.transaction():
                self._lock()
                self._db.execute(_SCHEMA.replace("{space}", f'"{self._space}"'))
            self._db.execute("SELECT set_config('search_path', %s, false)", (f'"{self._space}"',))
        return self._db

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except (self._psycopg.Error, OSError) as error:
            said = str(error).strip().splitlines()[:1]
            raise BadEvidence(f"the approvals in {self.name} cannot be {what}: {' '.join(said)}") from error


def _ours(statement: str) -> str:
    """Return a statement in the client's own notation; ours hold no other question or percent sign."""
    return statement.replace("?", "%s")

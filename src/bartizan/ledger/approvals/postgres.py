"""The queue in PostgreSQL, for gateways on several machines. Needs `pip install 'bartizan[stores]'`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bartizan.ledger.database import Database

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


class PostgresRows(Database):
    """The rows in one schema of a database."""

    what, schema, last_made = "approvals", _SCHEMA, "endorsed"

    def __init__(self, url: str, space: str = _SPACE) -> None:
        """Use the schema `space` of the database at `url`; make what is missing. Raises BadSettings, BadEvidence."""
        super().__init__(url, space)

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


def _ours(statement: str) -> str:
    """Return a statement in the client's own notation; ours hold no other question or percent sign."""
    return statement.replace("?", "%s")

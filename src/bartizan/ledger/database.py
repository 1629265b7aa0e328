"""One schema of a PostgreSQL database, over one connection: opened when it is needed, made when it is missing.

What was committed survives what the server's commits survive; a server that commits asynchronously is told not to for
our transactions. Needs `pip install 'bartizan[stores]'`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from bartizan.core.errors import BadEvidence, BadSettings

if TYPE_CHECKING:
    from psycopg import Connection

_CONNECT_S = 5
_SILENT_MS = 15_000
"""A server that does not answer for so long is taken for gone."""
_NEVER_ASYNCHRONOUS = (
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
)


class Database:
    """What the ledger's parts share that can lie in PostgreSQL."""

    what: ClassVar[str]
    """The part: its name in errors, in its lock and of its section in the settings."""
    schema: ClassVar[str]
    """The statements that make it; `{space}` stands for the schema."""
    last_made: ClassVar[str]
    """A table that is there once all were made."""

    def __init__(self, url: str, space: str) -> None:
        """Use the schema `space` of the database at `url`; make what is missing. Raises BadSettings, BadEvidence."""
        try:
            import psycopg
        except ImportError as error:
            raise BadSettings(
                f"{self.what}.database names a PostgreSQL database, and its client is not installed",
                hint="pip install 'bartizan[stores]'",
            ) from error
        if not space.isidentifier() or not space.isascii():
            raise BadSettings(f"the schema of the {self.what}, {space!r}: expected letters, digits and _")
        self._psycopg, self._url, self._space = psycopg, url, space
        self._db: Connection[tuple[Any, ...]] | None = None
        with self._errors("opened"):
            self._connected()

    @property
    def name(self) -> str:
        """Return host, database and schema; the URL may hold a password."""
        return shown(self._url, self._space)

    def close(self) -> None:
        """Close the connection."""
        if self._db is not None:
            self._db.close()

    def _named(self, statement: str) -> Any:
        return statement.replace("{space}", f'"{self._space}"')

    def _connected(self) -> "Connection[tuple[Any, ...]]":
        if self._db is None or self._db.closed:
            self._db = self._psycopg.connect(
                self._url, autocommit=True, connect_timeout=_CONNECT_S, tcp_user_timeout=_SILENT_MS
            )
            made = self._db.execute("SELECT to_regclass(%s)", (f'"{self._space}".{self.last_made}',)).fetchone()
            if made == (None,):
                with self._db.transaction():
                    self._lock()
                    self._db.execute(self._named(self.schema))
            self._db.execute(_NEVER_ASYNCHRONOUS)
            self._db.execute("SELECT set_config('search_path', %s, false)", (f'"{self._space}"',))
        return self._db

    def _lock(self) -> None:
        """Keep all other writers out until the transaction ends."""
        lock = f"bartizan {self.what} {self._space}"
        self._connected().execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (lock,))

    @contextmanager
    def _errors(self, done: str) -> Iterator[None]:
        try:
            yield
        except (self._psycopg.Error, OSError) as error:
            said = str(error).strip().splitlines()[:1]
            raise BadEvidence(f"the {self.what} in {self.name} cannot be {done}: {' '.join(said)}") from error


def shown(url: str, space: str) -> str:
    """Return host, database and schema of a database, without a password."""
    parts = urlsplit(url)
    return f"{parts.hostname or 'local'}{parts.path} (schema {space})"

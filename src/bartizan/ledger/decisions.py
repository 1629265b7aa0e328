"""Decisions of the chat side that the tool side waits for: one allowed call is one right to one execution.

The gateway sees what a user asked and where a call's values came from; the MCP proxy sees what is executed. A decision
binds the name of the tool and the hash of the arguments, is spent by the first execution, and expires. A call that was
changed on the way, made twice, or never asked for finds none. One SQLite file that both sides open.
"""

import contextlib
import hashlib
import json
import math
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from bartizan.core.clock import Clock
from bartizan.core.errors import BadEvidence

LIFETIME_S = 300.0
_KEPT_NS = 24 * 3600 * 10**9
_SCHEMA = """
CREATE TABLE IF NOT EXISTS decision (
    id TEXT PRIMARY KEY, tool TEXT NOT NULL, arguments TEXT NOT NULL, until_ns INTEGER NOT NULL, spent_ns INTEGER
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS decision_call ON decision (tool, arguments, until_ns);
CREATE TABLE IF NOT EXISTS decided (tool TEXT PRIMARY KEY) WITHOUT ROWID;
"""

Found = Literal["none", "spent", "expired"]


def call_hash(arguments: Mapping[str, Any]) -> str:
    """Return the SHA-256 of arguments in canonical form: sorted keys, no spaces, 5.0 written as 5 (JSON has one 5)."""
    text = json.dumps(_plain(arguments), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _plain(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_plain(value) for value in node]
    if isinstance(node, float) and math.isfinite(node) and node == int(node) and abs(node) < 2**53:
        return int(node)
    return node


class Decisions:
    """The file of decisions. Thread-safe; several processes may use it at once."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """Open the file, or start it. Raises BadEvidence."""
        self._clock = clock
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")  # a lost decision refuses a call, which is the safe side
            self._db.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise BadEvidence(f"the decisions in {path} cannot be opened: {error}") from error

    def issue(self, tool: str, arguments: Mapping[str, Any], lifetime_s: float = LIFETIME_S) -> str:
        """Note that one call of `tool` with these arguments may be executed; return the decision's id."""
        now, id_ = self._clock.wall_ns(), secrets.token_hex(16)
        with self._writing() as db:
            db.execute("INSERT OR IGNORE INTO decided VALUES (?)", (tool,))
            db.execute("DELETE FROM decision WHERE until_ns < ?", (now - _KEPT_NS,))
            values = (id_, tool, call_hash(arguments), now + round(lifetime_s * 1e9))
            db.execute("INSERT INTO decision VALUES (?, ?, ?, ?, NULL)", values)
        return id_

    def heard_of(self, tool: str) -> None:
        """Note that the chat side decides about this tool, although it allowed nothing."""
        with self._writing() as db:
            db.execute("INSERT OR IGNORE INTO decided VALUES (?)", (tool,))

    def decides(self, names: Sequence[str]) -> bool:
        """Return whether the chat side ever decided about a tool under one of these names."""
        marks = ", ".join("?" * len(names))
        with self._writing() as db:
            query = f"SELECT 1 FROM decided WHERE tool IN ({marks})"  # noqa: S608 - only question marks
            return db.execute(query, tuple(names)).fetchone() is not None

    def spend(self, names: Sequence[str], arguments: Mapping[str, Any]) -> tuple[str, Found]:
        """Spend a decision on this call, under one of the names; return its id, or nothing and why there is none."""
        now, found = self._clock.wall_ns(), call_hash(arguments)
        marks = ", ".join("?" * len(names))
        query = (
            f"SELECT id, until_ns, spent_ns FROM decision WHERE tool IN ({marks}) AND arguments = ? "  # noqa: S608
            "ORDER BY spent_ns IS NOT NULL, until_ns < ?, until_ns LIMIT 1"
        )
        with self._writing() as db:
            row = db.execute(query, (*names, found, now)).fetchone()
            if row is None:
                return "", "none"
            id_, until_ns, spent_ns = row
            if spent_ns is not None or until_ns < now:
                return "", "spent" if spent_ns is not None else "expired"
            db.execute("UPDATE decision SET spent_ns = ? WHERE id = ?", (now, id_))
            return str(id_), "none"

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Hold one transaction that begins with the write lock: two executions never spend one decision."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield self._db
                self._db.execute("COMMIT")
            except BaseException as error:
                with contextlib.suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise BadEvidence(f"the decisions cannot be used: {error}") from error
                raise

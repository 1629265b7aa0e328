"""Limits in one SQLite file: the default. What was admitted or settled survives `kill -9` of every process.

Several processes may use the file; SQLite's write lock orders their steps. With `synchronous = NORMAL` a power cut can
lose the last moments; `full` waits for the disk at every step.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bartizan.core.clock import Clock
from bartizan.core.errors import UpstreamFailed
from bartizan.ledger.stores import accounts
from bartizan.ledger.stores.accounts import HELD, Account, Row, View
from bartizan.ledger.stores.base import Admitted, Amounts, Denied, Hold, Limit, Standing

_SCHEMA = """
CREATE TABLE IF NOT EXISTS account (name TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hold (id TEXT PRIMARY KEY, until_ms INTEGER NOT NULL, state BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS hold_until ON hold (until_ms);
CREATE TABLE IF NOT EXISTS switched_off (scope TEXT PRIMARY KEY, why TEXT NOT NULL) WITHOUT ROWID;
"""
_SWEPT_AT_ONCE = 64

encode = msgspec.msgpack.Encoder().encode
decode_account = msgspec.msgpack.Decoder(Account).decode
decode_row = msgspec.msgpack.Decoder(Row).decode


class SqliteStore:
    """A store in one file."""

    def __init__(self, path: Path, clock: Clock, *, full: bool = False) -> None:
        """Open the file, or make it. Raises UpstreamFailed when that cannot be done."""
        self._clock = clock
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=5, cached_statements=512
            )
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute(f"PRAGMA synchronous = {'FULL' if full else 'NORMAL'}")
            self._db.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise UpstreamFailed(f"the limits in {path} cannot be opened: {error}") from error

    def _now(self) -> int:
        return self._clock.wall_ns() // 1_000_000

    @contextmanager
    def _step(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    yield self._db
                except BaseException:
                    self._db.execute("ROLLBACK")
                    raise
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                raise UpstreamFailed(f"the limits cannot be kept: {error}") from error

    async def admit(self, hold: Hold, lease_ms: int) -> Admitted | Denied:
        """Take all of `hold.amounts` from all of `hold.limits`, or nothing."""
        now = self._now()
        with self._step() as db:
            due = self._due(db, now)
            view = self._view(db, {limit.account for row in (*due, Row(hold, HELD, 0)) for limit in row.hold.limits})
            view.switches = dict(db.execute("SELECT scope, why FROM switched_off"))
            accounts.expire(view, due, now)
            said = accounts.admit(view, hold, lease_ms, now)
            if due or isinstance(said, Admitted):
                self._write(db, view)
        return said

    async def settle(self, hold: Hold, used: Amounts) -> bool:
        """Replace what was held by what was `used`. Return False when it was settled before."""
        with self._step() as db:
            found = db.execute("SELECT state FROM hold WHERE id = ?", (hold.id,)).fetchone()
            row = decode_row(found[0]) if found else None
            view = self._view(db, {limit.account for limit in (row.hold if row else hold).limits})
            if row:
                view.rows[hold.id] = row
            changed = accounts.settle(view, hold, used, self._now())
            if changed:
                self._write(db, view)
        return changed

    async def renew(self, ids: list[str], lease_ms: int) -> list[str]:
        """Give these holds a new lease. Return those that are no longer held."""
        gone, until = [], self._now() + lease_ms
        with self._step() as db:
            view = View()
            for id_ in ids:
                found = db.execute("SELECT state FROM hold WHERE id = ?", (id_,)).fetchone()
                row = decode_row(found[0]) if found else None
                if row is None or row.state != HELD:
                    gone.append(id_)
                else:
                    row.until_ms = until
                    view.rows[id_] = row
            self._write(db, view)
        return gone

    async def sweep(self) -> int:
        """Charge holds whose lease ran out. Return how many."""
        swept, now = 0, self._now()
        while True:
            with self._step() as db:
                due = self._due(db, now)
                view = self._view(db, {limit.account for row in due for limit in row.hold.limits})
                count = accounts.expire(view, due, now)
                self._write(db, view)
            swept += count
            if count < _SWEPT_AT_ONCE:
                return swept

    async def standings(self, limits: list[Limit]) -> list[Standing]:
        """Return how the accounts of these limits stand."""
        now = self._now()
        with self._step() as db:
            view = self._view(db, {limit.account for limit in limits})
        return [accounts.standing(view.account(limit), limit, now) for limit in limits]

    async def switch(self, scope: str, why: str) -> None:
        """Stop a scope, or let it go again (`why` is empty)."""
        with self._step() as db:
            db.execute("DELETE FROM switched_off WHERE scope = ?", (scope,))
            if why:
                db.execute("INSERT INTO switched_off VALUES (?, ?)", (scope, why))

    async def switches(self) -> dict[str, str]:
        """Return what is stopped, and why."""
        with self._step() as db:
            return dict(db.execute("SELECT scope, why FROM switched_off"))

    async def accounts(self) -> list[str]:
        """Return the names of all accounts."""
        with self._step() as db:
            return [name for (name,) in db.execute("SELECT name FROM account ORDER BY name")]

    async def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _due(self, db: sqlite3.Connection, now: int) -> list[Row]:
        """Return holds whose lease ran out; forget those that are settled and old."""
        found = db.execute("SELECT id, state FROM hold WHERE until_ms <= ? LIMIT ?", (now, _SWEPT_AT_ONCE)).fetchall()
        if not found:
            return []
        rows = [decode_row(state) for _, state in found]
        old = [(id_,) for (id_, _), row in zip(found, rows, strict=True) if row.state != HELD]
        db.executemany("DELETE FROM hold WHERE id = ?", old)
        return [row for row in rows if row.state == HELD]

    def _view(self, db: sqlite3.Connection, names: set[str]) -> View:
        marks = ",".join("?" * len(names))
        found = db.execute(f"SELECT name, state FROM account WHERE name IN ({marks})", tuple(names))  # noqa: S608 - only marks are written into it
        return View({name: decode_account(state) for name, state in found})

    def _write(self, db: sqlite3.Connection, view: View) -> None:
        if view.accounts:
            marks = ",".join(["(?,?)"] * len(view.accounts))
            values = [value for name, account in view.accounts.items() for value in (name, encode(account))]
            db.execute(f"REPLACE INTO account VALUES {marks}", values)  # noqa: S608 - only marks are written into it
        for id_, row in view.rows.items():
            db.execute("REPLACE INTO hold VALUES (?, ?, ?)", (id_, row.until_ms, encode(row)))

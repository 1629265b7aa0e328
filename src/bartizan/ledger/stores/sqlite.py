"""Limits in one SQLite file: the default. What was admitted or settled survives `kill -9` of every process.

Several processes may use the file; SQLite's write lock orders their steps. With `synchronous = NORMAL` a power cut can
lose the last moments; `full` waits for the disk at every step.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import msgspec

from bartizan.core.clock import Clock
from bartizan.core.errors import UpstreamFailed
from bartizan.ledger.stores import accounts
from bartizan.ledger.stores.accounts import HELD, Account, Row, View
from bartizan.ledger.stores.base import Admitted, Amounts, Denied, Hold, Limit, Standing
from bartizan.ledger.stores.steps import Admit, Renew, Settle, Step, Together, accounts_of, apply, ids_of

_SCHEMA = """
CREATE TABLE IF NOT EXISTS counted (
    name TEXT PRIMARY KEY, until_ms INTEGER NOT NULL, state BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS held (id TEXT PRIMARY KEY, until_ms INTEGER NOT NULL, state BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS held_until ON held (until_ms);
CREATE TABLE IF NOT EXISTS switched_off (scope TEXT PRIMARY KEY, why TEXT NOT NULL) WITHOUT ROWID;
"""
_SWEPT_AT_ONCE = 64
_FORGOTTEN_AT_ONCE = 256
_PAGES = 20_000
"""The log is folded into the file by `sweep`, beside the event loop; this many pages only when that falls behind."""

encode = msgspec.msgpack.Encoder().encode
decode_account = msgspec.msgpack.Decoder(Account).decode
decode_row = msgspec.msgpack.Decoder(Row).decode


class SqliteStore:
    """A store in one file."""

    def __init__(self, path: Path, clock: Clock, *, full: bool = False, linger_s: float = 0.0) -> None:
        """Open the file, or make it. Raises UpstreamFailed when that cannot be done.

        Settlings may wait for `linger_s` to share the next transaction.
        """
        self._clock = clock
        self._path = path
        self._lock = threading.Lock()
        self._together = Together(self._run, linger_s)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=5, cached_statements=512
            )
            self._db.execute("PRAGMA page_size = 1024")  # less to write and to check per step
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute(f"PRAGMA synchronous = {'FULL' if full else 'NORMAL'}")
            self._db.execute(f"PRAGMA wal_autocheckpoint = {_PAGES}")
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
        return cast("Admitted | Denied", await self._together.ask(Admit(hold, lease_ms)))

    async def settle(self, hold: Hold, used: Amounts) -> bool:
        """Replace what was held by what was `used`. Return False when it was settled before."""
        return cast("bool", await self._together.ask(Settle(hold, used)))

    async def renew(self, ids: list[str], lease_ms: int) -> list[str]:
        """Give these holds a new lease. Return those that are no longer held."""
        return cast("list[str]", await self._together.ask(Renew(tuple(ids), lease_ms)))

    def _run(self, steps: Sequence[Step]) -> list[Any]:
        """Answer all steps in one transaction."""
        now = self._now()
        with self._step() as db:
            due = self._due(db, now)
            rows = self._rows(db, ids_of(steps, admissions=False))
            view = self._view(db, accounts_of(steps, [*due, *rows.values()]))
            view.rows = rows
            view.switches = dict(db.execute("SELECT scope, why FROM switched_off"))
            accounts.expire(view, due, now)
            answers = apply(view, steps, now)
            self._write(db, view)
        return answers

    async def sweep(self) -> int:
        """Charge holds whose lease ran out, forget accounts in which nothing counts any more. Return how many holds."""
        swept, now = 0, self._now()
        while True:
            with self._step() as db:
                due = self._due(db, now)
                view = self._view(db, accounts_of((), due))
                count = accounts.expire(view, due, now)
                self._write(db, view)
            swept += count
            if count < _SWEPT_AT_ONCE:
                break
        with self._step() as db:
            self._forget(db, now)
        await asyncio.to_thread(self._fold)
        return swept

    def _forget(self, db: sqlite3.Connection, now: int) -> None:
        """Delete accounts in which nothing counts any more, so that names that clients choose do not fill the file."""
        old = db.execute(
            "SELECT name, state FROM counted WHERE until_ms BETWEEN 1 AND ? LIMIT ?", (now, _FORGOTTEN_AT_ONCE)
        ).fetchall()
        empty = [(name,) for name, state in old if decode_account(state).held == 0]
        db.executemany("DELETE FROM counted WHERE name = ?", empty)

    def _fold(self) -> None:
        """Fold the write-ahead log into the file, over a connection of its own: it waits for the disk."""
        try:
            beside = sqlite3.connect(self._path, isolation_level=None, timeout=5)
            try:
                beside.execute("PRAGMA wal_checkpoint(PASSIVE)")
            finally:
                beside.close()
        except sqlite3.Error as error:
            raise UpstreamFailed(f"the limits cannot be kept: {error}") from error

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
            return [name for (name,) in db.execute("SELECT name FROM counted ORDER BY name")]

    async def close(self) -> None:
        """Write what waits and close the file."""
        self._together.flush()
        self._db.close()

    def _due(self, db: sqlite3.Connection, now: int) -> list[Row]:
        """Return holds whose lease ran out; forget those that are settled and old."""
        found = db.execute("SELECT id, state FROM held WHERE until_ms <= ? LIMIT ?", (now, _SWEPT_AT_ONCE)).fetchall()
        if not found:
            return []
        rows = [decode_row(state) for _, state in found]
        old = [(id_,) for (id_, _), row in zip(found, rows, strict=True) if row.state != HELD]
        db.executemany("DELETE FROM held WHERE id = ?", old)
        return [row for row in rows if row.state == HELD]

    def _rows(self, db: sqlite3.Connection, ids: set[str]) -> dict[str, Row]:
        if not ids:
            return {}
        marks = ",".join("?" * len(ids))
        found = db.execute(f"SELECT id, state FROM held WHERE id IN ({marks})", tuple(ids))  # noqa: S608 - only marks are written into it
        return {id_: decode_row(state) for id_, state in found}

    def _view(self, db: sqlite3.Connection, names: set[str]) -> View:
        if not names:
            return View()
        marks = ",".join("?" * len(names))
        found = db.execute(f"SELECT name, state FROM counted WHERE name IN ({marks})", tuple(names))  # noqa: S608 - only marks are written into it
        return View({name: decode_account(state) for name, state in found})

    def _write(self, db: sqlite3.Connection, view: View) -> None:
        if view.accounts:
            marks = ",".join(["(?,?,?)"] * len(view.accounts))
            kept = view.accounts.items()
            values = [value for name, account in kept for value in (name, account.until_ms, encode(account))]
            db.execute(f"REPLACE INTO counted VALUES {marks}", values)  # noqa: S608 - only marks are written into it
        for id_, row in view.rows.items():
            db.execute("REPLACE INTO held VALUES (?, ?, ?)", (id_, row.until_ms, encode(row)))

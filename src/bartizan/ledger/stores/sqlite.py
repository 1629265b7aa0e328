"""Limits in one SQLite file: the default. What was admitted or settled survives `kill -9` of every process.

Several processes may use the file; SQLite's write lock orders their steps. With `synchronous = NORMAL` a power cut can
lose the last moments; `full` waits for the disk at every step.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import msgspec

from bartizan.core.clock import Clock
from bartizan.core.errors import UpstreamFailed
from bartizan.ledger.stores import accounts
from bartizan.ledger.stores.accounts import HELD, SETTLED, Account, Row, View
from bartizan.ledger.stores.base import KEEP_MS, MOST, NOTHING, Admitted, Amounts, Denied, Hold, Limit, Standing
from bartizan.ledger.stores.steps import Admit, Renew, Settle, Step, Together, accounts_of, apply, ids_of

_SCHEMA = """
CREATE TABLE IF NOT EXISTS counted (
    name TEXT PRIMARY KEY, until_ms INTEGER NOT NULL, state BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS holding (
    until_ms INTEGER NOT NULL, id TEXT NOT NULL, state BLOB NOT NULL, PRIMARY KEY (until_ms, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS settled (hour INTEGER NOT NULL, id TEXT NOT NULL, PRIMARY KEY (hour, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS switched_off (scope TEXT PRIMARY KEY, why TEXT NOT NULL) WITHOUT ROWID;
"""
# Both tables of holds are in the order of time, so that a step changes the last page of each and no index beside it.
_SWEPT_AT_ONCE = 64
_FORGOTTEN_AT_ONCE = 256
_NONE = -1
_REMEMBERED = 4096
"""How many accounts are kept in memory between two steps."""
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
        self._view, self._version = View(), _NONE  # what this connection read or wrote last, while nobody else wrote
        self._next_due = 0  # no lease ends before this
        self._untils: dict[str, int] = {}  # under which time each hold of this process lies
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
            self._bring_over()
        except (OSError, sqlite3.Error) as error:
            raise UpstreamFailed(f"the limits in {path} cannot be opened: {error}") from error

    def _now(self) -> int:
        return self._clock.wall_ns() // 1_000_000

    @contextmanager
    def _step(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield self._db
                self._db.execute("COMMIT")
            except BaseException as error:
                self._undo()
                if isinstance(error, sqlite3.Error):
                    raise UpstreamFailed(f"the limits cannot be kept: {error}") from error
                raise

    def _undo(self) -> None:
        """End a step that failed, in its commit too, and forget what it left in memory."""
        self._version = _NONE
        self._untils.clear()
        with suppress(sqlite3.Error):
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def _bring_over(self) -> None:
        """Take holds out of the table in which versions before 0.2 kept them."""
        with self._step() as db:
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'held'").fetchone():
                return
            for id_, state in db.execute("SELECT id, state FROM held").fetchall():
                row = decode_row(state)
                if row.state == SETTLED:
                    db.execute("REPLACE INTO settled VALUES (?, ?)", (row.until_ms // KEEP_MS, id_))
                else:
                    db.execute("REPLACE INTO holding VALUES (?, ?, ?)", (row.until_ms, id_, state))
            db.execute("DROP TABLE held")

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
            view = self._known(db)
            due = self._due(db, now)
            ids = ids_of(steps, admissions=False)
            before = self._rows(db, view, ids)
            names = accounts_of(steps, [*due.values(), *before.values()])
            self._accounts(db, view, names)
            accounts.expire(view, due.values(), now)
            answers = apply(view, steps, now)
            self._write_accounts(db, view, names)
            ids.update(due, [step.hold.id for step in steps if isinstance(step, Admit)])
            self._write_rows(db, view, ids, before)
        return answers

    async def sweep(self) -> int:
        """Charge holds whose lease ran out, forget accounts in which nothing counts any more. Return how many holds."""
        swept, now = 0, self._now()
        while True:
            with self._step() as db:
                view, due = self._known(db), self._due(db, now)
                names = accounts_of((), due.values())
                self._accounts(db, view, names)
                count = accounts.expire(view, due.values(), now)
                self._write_accounts(db, view, names)
                self._write_rows(db, view, set(due), {})
            swept += count
            if count < _SWEPT_AT_ONCE:
                break
        while self._forget(now):
            await asyncio.sleep(0)
        await asyncio.to_thread(self._fold)
        return swept

    def _forget(self, now: int) -> bool:
        """Delete what no longer counts, so that names that clients choose do not fill the file. True: there is more."""
        with self._step() as db:
            old = db.execute(
                "SELECT name, state FROM counted WHERE until_ms BETWEEN 1 AND ? LIMIT ?", (now, _FORGOTTEN_AT_ONCE)
            ).fetchall()
            empty = [(name,) for name, state in old if decode_account(state).held == 0]
            db.executemany("DELETE FROM counted WHERE name = ?", empty)
            for (name,) in empty:
                self._view.accounts.pop(name, None)
            remembered = "SELECT hour, id FROM settled WHERE hour < ? LIMIT ?"
            gone = db.execute(remembered, (now // KEEP_MS, _FORGOTTEN_AT_ONCE)).fetchall()
            db.executemany("DELETE FROM settled WHERE hour = ? AND id = ?", gone)
        return len(gone) == _FORGOTTEN_AT_ONCE

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
            view = self._known(db)
            self._accounts(db, view, {limit.account for limit in limits})
        return [accounts.standing(view.account(limit), limit, now) for limit in limits]

    async def switch(self, scope: str, why: str) -> None:
        """Stop a scope, or let it go again (`why` is empty)."""
        with self._step() as db:
            self._version = _NONE
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

    def _known(self, db: sqlite3.Connection) -> View:
        """Return what the last step left in memory if no other connection has written since, else what is off."""
        (version,) = db.execute("PRAGMA data_version").fetchone()
        if version != self._version or len(self._view.accounts) > _REMEMBERED:
            self._view = View(switches=dict(db.execute("SELECT scope, why FROM switched_off")))
            self._version, self._next_due = version, 0
        return self._view

    def _due(self, db: sqlite3.Connection, now: int) -> dict[str, Row]:
        """Return holds whose lease ran out; forget those that were charged long ago."""
        if now < self._next_due:
            return {}
        found = db.execute(
            "SELECT id, state FROM holding WHERE until_ms <= ? LIMIT ?", (now, _SWEPT_AT_ONCE)
        ).fetchall()
        if not found:
            (least,) = db.execute("SELECT min(until_ms) FROM holding").fetchone()
            self._next_due = MOST if least is None else least
            return {}
        due: dict[str, Row] = {}
        for id_, state in found:
            row = decode_row(state)
            if row.state == HELD:
                due[id_], self._untils[id_] = row, row.until_ms
            else:
                db.execute("DELETE FROM holding WHERE until_ms = ? AND id = ?", (row.until_ms, id_))
                self._forget_row(id_)
        return due

    def _rows(self, db: sqlite3.Connection, view: View, ids: set[str]) -> dict[str, Row]:
        """Bring the holds `ids` into the view. Return those that there are."""
        rows: dict[str, Row] = {}
        for id_ in ids:
            row = view.rows.get(id_) or self._read_row(db, id_)
            if row is not None:
                rows[id_] = view.rows[id_] = row
        return rows

    def _read_row(self, db: sqlite3.Connection, id_: str) -> Row | None:
        at = (self._untils.get(id_, -1), id_)
        found = db.execute("SELECT state FROM holding WHERE until_ms = ? AND id = ?", at).fetchone()
        if found is None:  # admitted by another process, or charged by one; rare, so there is no index for it
            found = db.execute("SELECT state FROM holding WHERE id = ?", (id_,)).fetchone()
        if found is not None:
            row = decode_row(found[0])
            self._untils[id_] = row.until_ms
            return row
        hour = self._now() // KEEP_MS
        done = db.execute("SELECT hour FROM settled WHERE hour IN (?, ?) AND id = ?", (hour, hour + 1, id_)).fetchone()
        return None if done is None else Row(Hold(id_, (), NOTHING), SETTLED, done[0] * KEEP_MS)

    def _accounts(self, db: sqlite3.Connection, view: View, names: set[str]) -> None:
        """Bring the accounts `names` into the view."""
        missing = tuple(names - view.accounts.keys())
        if missing:
            marks = ",".join("?" * len(missing))
            found = db.execute(f"SELECT name, state FROM counted WHERE name IN ({marks})", missing)  # noqa: S608 - only marks are written into it
            view.accounts.update((name, decode_account(state)) for name, state in found)

    def _write_accounts(self, db: sqlite3.Connection, view: View, names: set[str]) -> None:
        values: list[Any] = []
        for name in names:
            account = view.accounts.get(name)
            if account is not None:
                values += (name, account.until_ms, bytearray(encode(account)))
        if values:
            marks = "(?,?,?)," * (len(values) // 3)
            db.execute(f"REPLACE INTO counted VALUES {marks[:-1]}", values)  # noqa: S608 - only marks are written into it

    def _write_rows(self, db: sqlite3.Connection, view: View, ids: Iterable[str], before: dict[str, Row]) -> None:
        for id_ in ids:
            row, until = view.rows.get(id_), self._untils.get(id_)
            if row is None or row.until_ms == until:
                continue
            if until is not None:
                db.execute("DELETE FROM holding WHERE until_ms = ? AND id = ?", (until, id_))
            if row.state == SETTLED:
                if row is not before.get(id_):
                    db.execute("REPLACE INTO settled VALUES (?, ?)", (row.until_ms // KEEP_MS, id_))
                self._forget_row(id_)
            else:
                db.execute("INSERT INTO holding VALUES (?, ?, ?)", (row.until_ms, id_, bytearray(encode(row))))
                self._untils[id_] = row.until_ms
                self._next_due = min(self._next_due, row.until_ms)

    def _forget_row(self, id_: str) -> None:
        self._view.rows.pop(id_, None)
        self._untils.pop(id_, None)

"""Limits in PostgreSQL, for a gateway that runs as several replicas: every step is one transaction under one lock.

The arithmetic is `accounts`, the same as in SQLite; an advisory lock orders the steps of all replicas, and those that
come while a transaction is under way share the next one. The server's clock counts. What was admitted or settled
survives what the server's commits survive. Needs `pip install 'bartizan[stores]'`.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec

from bartizan.core.clock import Clock
from bartizan.core.errors import BadSettings, UpstreamFailed
from bartizan.ledger.stores import accounts
from bartizan.ledger.stores.accounts import HELD, Account, Row, View
from bartizan.ledger.stores.base import Admitted, Amounts, Denied, Hold, Limit, Standing
from bartizan.ledger.stores.steps import Admit, OneAfterAnother, Renew, Settle, Step, accounts_of, apply, ids_of

if TYPE_CHECKING:
    from psycopg import AsyncConnection

_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS {space};
CREATE TABLE IF NOT EXISTS {space}.counted (name text PRIMARY KEY, until_ms bigint NOT NULL, state bytea NOT NULL);
CREATE TABLE IF NOT EXISTS {space}.held (id text PRIMARY KEY, until_ms bigint NOT NULL, state bytea NOT NULL);
CREATE INDEX IF NOT EXISTS held_until ON {space}.held (until_ms);
CREATE TABLE IF NOT EXISTS {space}.switched_off (scope text PRIMARY KEY, why text NOT NULL);
"""
_TIMEOUT_S = 3
_SWEPT_AT_ONCE = 64
_FORGOTTEN_AT_ONCE = 256

_encode = msgspec.msgpack.Encoder().encode
_decode_account = msgspec.msgpack.Decoder(Account).decode
_decode_row = msgspec.msgpack.Decoder(Row).decode


class PostgresStore:
    """A store in a database. `clock` is for simulations; without one the server's own time counts."""

    def __init__(self, url: str, clock: Clock | None = None, *, space: str = "bartizan") -> None:
        """Use the database at `url` (`postgresql://…`), in the schema `space`; it is reached when first needed.

        Raises BadSettings.
        """
        try:
            import psycopg
        except ImportError as error:
            raise BadSettings(
                "limits.store names a PostgreSQL database, and its client is not installed",
                hint="pip install 'bartizan[stores]'",
            ) from error
        if not space.isidentifier():
            raise BadSettings(f"schema {space!r}: expected letters, digits and _")
        self._psycopg = psycopg
        self._url = url
        self._clock = clock
        self._space = space
        self._connection: AsyncConnection[tuple[Any, ...]] | None = None
        self._busy = asyncio.Lock()
        self._steps = OneAfterAnother(self._run)

    async def admit(self, hold: Hold, lease_ms: int) -> Admitted | Denied:
        """Take all of `hold.amounts` from all of `hold.limits`, or nothing."""
        return cast("Admitted | Denied", await self._steps.ask(Admit(hold, lease_ms)))

    async def settle(self, hold: Hold, used: Amounts) -> bool:
        """Replace what was held by what was `used`. Return False when it was settled before."""
        return cast("bool", await self._steps.ask(Settle(hold, used)))

    async def renew(self, ids: list[str], lease_ms: int) -> list[str]:
        """Give these holds a new lease. Return those that are no longer held."""
        return cast("list[str]", await self._steps.ask(Renew(tuple(ids), lease_ms)))

    async def _run(self, steps: Sequence[Step]) -> list[Any]:
        """Answer all steps in one transaction, in two journeys to the server."""
        async with self._step() as db:
            now, due = await self._due(db)
            rows = await self._rows(db, ids_of(steps, admissions=True))
            view = await self._view(db, accounts_of(steps, [*due, *rows.values()]))
            view.rows, view.switches = rows, await self._switches(db)
            accounts.expire(view, due, now)
            answers = apply(view, steps, now)
            await self._write(db, view)
        return answers

    async def sweep(self) -> int:
        """Charge holds whose lease ran out, forget accounts in which nothing counts any more. Return how many holds."""
        swept, count = 0, _SWEPT_AT_ONCE
        while count >= _SWEPT_AT_ONCE:
            async with self._step() as db:
                now, due = await self._due(db)
                view = await self._view(db, accounts_of((), due))
                count = accounts.expire(view, due, now)
                await self._write(db, view)
            swept += count
        async with self._step() as db:
            found = await self._all(
                db,
                "SELECT name, state FROM {space}.counted WHERE until_ms BETWEEN 1 AND %s LIMIT %s",
                (now, _FORGOTTEN_AT_ONCE),
            )
            empty = [name for name, state in found if _decode_account(state).held == 0]
            await self._do(db, "DELETE FROM {space}.counted WHERE name = ANY(%s)", (empty,))
        return swept

    async def standings(self, limits: list[Limit]) -> list[Standing]:
        """Return how the accounts of these limits stand."""
        async with self._step() as db:
            now = await self._now(db)
            view = await self._view(db, {limit.account for limit in limits})
        return [accounts.standing(view.account(limit), limit, now) for limit in limits]

    async def switch(self, scope: str, why: str) -> None:
        """Stop a scope, or let it go again (`why` is empty)."""
        async with self._step() as db:
            await self._do(db, "DELETE FROM {space}.switched_off WHERE scope = %s", (scope,))
            if why:
                await self._do(db, "INSERT INTO {space}.switched_off VALUES (%s, %s)", (scope, why))

    async def switches(self) -> dict[str, str]:
        """Return what is stopped, and why."""
        async with self._step() as db:
            return await self._switches(db)

    async def accounts(self) -> list[str]:
        """Return the names of all accounts."""
        async with self._step() as db:
            return [name for (name,) in await self._all(db, "SELECT name FROM {space}.counted ORDER BY name")]

    async def close(self) -> None:
        """Finish what is under way and close the connection."""
        await self._steps.finished()
        if self._connection is not None:
            await self._connection.close()

    @contextlib.asynccontextmanager
    async def _step(self) -> "AsyncIterator[AsyncConnection[tuple[Any, ...]]]":
        """One transaction that no other replica's can overlap. Whatever goes wrong ends the connection too."""
        async with self._busy:
            try:
                async with asyncio.timeout(2 * _TIMEOUT_S):
                    db = await self._connected()
                    async with db.pipeline(), db.transaction():
                        await self._do(db, "SELECT pg_advisory_xact_lock(hashtext(%s))", (self._space,))
                        yield db
            except (self._psycopg.Error, OSError, TimeoutError) as error:
                await self._disconnected()
                raise UpstreamFailed(f"the store of limits does not answer: {type(error).__name__}: {error}") from error
            except BaseException:
                await self._disconnected()
                raise

    async def _connected(self) -> "AsyncConnection[tuple[Any, ...]]":
        if self._connection is None or self._connection.closed:
            self._connection = await self._psycopg.AsyncConnection.connect(
                self._url, autocommit=True, connect_timeout=_TIMEOUT_S
            )
            async with self._connection.transaction():
                await self._do(self._connection, "SELECT pg_advisory_xact_lock(hashtext(%s))", (self._space,))
                await self._do(self._connection, _SCHEMA, None)
        return self._connection

    async def _disconnected(self) -> None:
        broken, self._connection = self._connection, None
        if broken is not None:
            with contextlib.suppress(self._psycopg.Error, OSError):
                await broken.close()

    async def _do(self, db: Any, statement: str, values: Sequence[Any] | None) -> Any:
        return await db.execute(statement.replace("{space}", f'"{self._space}"'), values)

    async def _all(self, db: Any, statement: str, values: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        return cast("list[tuple[Any, ...]]", await (await self._do(db, statement, values)).fetchall())

    async def _now(self, db: Any) -> int:
        if self._clock is not None:
            return self._clock.wall_ns() // 1_000_000
        ((now,),) = await self._all(db, "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
        return int(now)

    async def _due(self, db: Any) -> tuple[int, list[Row]]:
        """Return the time and the holds whose lease ran out; forget those that are settled and old."""
        now = await self._now(db)
        found = await self._all(
            db, "SELECT id, state FROM {space}.held WHERE until_ms <= %s LIMIT %s", (now, _SWEPT_AT_ONCE)
        )
        rows = [(id_, _decode_row(state)) for id_, state in found]
        old = [id_ for id_, row in rows if row.state != HELD]
        if old:
            await self._do(db, "DELETE FROM {space}.held WHERE id = ANY(%s)", (old,))
        return now, [row for _, row in rows if row.state == HELD]

    async def _rows(self, db: Any, ids: Iterable[str]) -> dict[str, Row]:
        found = await self._all(db, "SELECT id, state FROM {space}.held WHERE id = ANY(%s)", (list(ids),))
        return {id_: _decode_row(state) for id_, state in found}

    async def _view(self, db: Any, names: Iterable[str]) -> View:
        found = await self._all(db, "SELECT name, state FROM {space}.counted WHERE name = ANY(%s)", (list(names),))
        return View({name: _decode_account(state) for name, state in found})

    async def _switches(self, db: Any) -> dict[str, str]:
        return dict(cast("list[tuple[str, str]]", await self._all(db, "SELECT scope, why FROM {space}.switched_off")))

    async def _write(self, db: Any, view: View) -> None:
        kept = [(name, account.until_ms, _encode(account)) for name, account in view.accounts.items()]
        holds = [(id_, row.until_ms, _encode(row)) for id_, row in view.rows.items()]
        for table, key, rows in (("counted", "name", kept), ("held", "id", holds)):
            if rows:
                await self._do(
                    db,
                    f"INSERT INTO {{space}}.{table} SELECT * FROM unnest(%s::text[], %s::bigint[], %s::bytea[]) "  # noqa: S608 - two fixed names
                    f"ON CONFLICT ({key}) DO UPDATE SET until_ms = excluded.until_ms, state = excluded.state",
                    tuple(list(column) for column in zip(*rows, strict=True)),
                )

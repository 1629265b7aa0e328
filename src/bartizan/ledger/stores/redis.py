"""Limits in Redis or Valkey, for a gateway that runs as several replicas: every step is one call of one Lua function.

The server's clock counts, so that replicas whose clocks differ agree. What survives a crash of the server is what its
own settings say (`appendfsync always` loses nothing); a hold that it lost is charged all the same when it is settled.
Needs `pip install 'bartizan[stores]'`.
"""

import asyncio
from collections.abc import Sequence
from importlib import resources
from typing import Any, cast

import msgspec

from bartizan.core.clock import Clock
from bartizan.core.errors import BadSettings, UpstreamFailed
from bartizan.ledger.stores.base import Admitted, Amounts, Denied, Hold, Left, Limit, Standing
from bartizan.ledger.stores.steps import Admit, OneAfterAnother, Renew, Settle, Step

_TIMEOUT_S = 2.0
_SWEPT_AT_ONCE = 64
_SCRIPT = resources.files(__package__).joinpath("redis.lua").read_text("utf-8")

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class RedisStore:
    """A store in a server. `clock` is for simulations; without one the server's own time counts."""

    def __init__(self, url: str, clock: Clock | None = None, *, prefix: str = "{bartizan}") -> None:
        """Use the server at `url` (`redis://[:password@]host[:port]/[db]`, `rediss://`); it is reached when needed.

        Every key begins with `prefix`, whose braces keep all keys in one slot. Raises BadSettings.
        """
        try:
            from valkey.asyncio import BlockingConnectionPool, Valkey
            from valkey.exceptions import ValkeyError
        except ImportError as error:
            raise BadSettings(
                "limits.store names a Redis server, and its client is not installed",
                hint="pip install 'bartizan[stores]'",
            ) from error
        self._failures: tuple[type[Exception], ...] = (ValkeyError, OSError, TimeoutError)
        try:
            pool = BlockingConnectionPool.from_url(
                url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S, max_connections=4, timeout=_TIMEOUT_S
            )
        except ValueError as error:
            raise BadSettings(f"limits.store: {error}") from error
        self._client = Valkey(connection_pool=pool)
        self._script = self._client.register_script(_SCRIPT)
        self._clock = clock
        self._prefix = prefix
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
        answers = await self._call([_written(step) for step in steps])
        return [_read(step, answer) for step, answer in zip(steps, answers, strict=True)]

    async def sweep(self) -> int:
        """Charge holds whose lease ran out. Return how many. Empty accounts expire by themselves."""
        swept: int = 0
        while True:
            (count,) = await self._call([("sweep",)])
            swept += int(count)
            if count < _SWEPT_AT_ONCE:
                return swept

    async def standings(self, limits: list[Limit]) -> list[Standing]:
        """Return how the accounts of these limits stand."""
        found = await self._call([("standing", limit) for limit in limits]) if limits else []
        return [Standing(limit.account, *figures) for limit, figures in zip(limits, found, strict=True)]

    async def switch(self, scope: str, why: str) -> None:
        """Stop a scope, or let it go again (`why` is empty)."""
        name = f"{self._prefix}:off"
        await self._guarded(self._client.hset(name, scope, why) if why else self._client.hdel(name, scope))

    async def switches(self) -> dict[str, str]:
        """Return what is stopped, and why."""
        found = await self._guarded(self._client.hgetall(f"{self._prefix}:off"))
        return {scope.decode(): why.decode() for scope, why in found.items()}

    async def accounts(self) -> list[str]:
        """Return the names of all accounts."""
        beginning = f"{self._prefix}:a:"

        async def names() -> list[str]:
            return [key.decode()[len(beginning) :] async for key in self._client.scan_iter(match=beginning + "*")]

        return sorted(await self._guarded(names()))

    async def close(self) -> None:
        """Finish what is under way and close the connections."""
        await self._steps.finished()
        await self._client.aclose(close_connection_pool=True)

    async def _call(self, steps: Sequence[tuple[Any, ...]]) -> list[Any]:
        now = -1 if self._clock is None else self._clock.wall_ns() // 1_000_000
        raw = await self._guarded(self._script(keys=[self._prefix], args=[_encode(steps), now]))
        return cast("list[Any]", _decode(raw))

    async def _guarded(self, answer: Any) -> Any:
        try:
            async with asyncio.timeout(2 * _TIMEOUT_S):
                return await answer
        except self._failures as error:
            raise UpstreamFailed(f"the store of limits does not answer: {type(error).__name__}: {error}") from error


def _written(step: Step) -> tuple[Any, ...]:
    match step:
        case Admit(hold=hold, lease_ms=lease_ms):
            return ("admit", hold, lease_ms)
        case Settle(hold=hold, used=used):
            return ("settle", hold, used)
        case Renew(ids=ids, lease_ms=lease_ms):
            return ("renew", ids, lease_ms)


def _read(step: Step, answer: Any) -> Any:
    if not isinstance(step, Admit):
        return answer
    limits = step.hold.limits
    if answer[0] == "admitted":
        return Admitted(tuple(Left(limit, left, reset) for limit, (left, reset) in zip(limits, answer[1], strict=True)))
    kind, what, short, left, retry = answer
    limit = Limit(*short) if short else None
    return Denied(kind, what, limit, left, retry if retry >= 0 else None)

"""Admits requests against every limit that applies, in one atomic step, and settles them afterwards.

What is held is an upper bound (`bounds`), so what is spent plus what is held never passes a cap. A store that cannot be
reached admits nothing that a budget counts. While it runs, a keeper renews the leases of running requests, charges the
dead, retries what could not be settled and takes up new rules, prices and switches within a second.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine
from typing import Any, Protocol

import msgspec

from bartizan.core.clock import Clock
from bartizan.core.errors import BadSettings, UpstreamFailed
from bartizan.core.sections.limits import Limits as Settings
from bartizan.gateway.auth import Caller, Headers
from bartizan.gateway.grants import capped, usage_wanted
from bartizan.gateway.limits import answers
from bartizan.gateway.limits.booking import Booking, Turned
from bartizan.gateway.limits.bounds import Bound, Size, UnboundedError, bound
from bartizan.gateway.limits.breakers import Breakers
from bartizan.gateway.limits.files import Files
from bartizan.gateway.limits.prices import Price
from bartizan.gateway.limits.rules import Applied, Rules
from bartizan.gateway.wires.base import Asked, Dialect, new_id
from bartizan.ledger.stores.base import EVERYTHING, NOTHING, Admitted, Amounts, Denied, Hold, Limit, Store
from bartizan.ledger.stores.memory import MemoryStore

_log = logging.getLogger("bartizan.gateway")
_SHORTEST = 16
"""An answer is not shortened below this many tokens."""
_TICK_S = 1.0
_LAST_S = 10.0
"""How long the end waits for what is still to be settled."""
_SESSION = b"x-bartizan-session"


class Limits(Protocol):
    """What admits requests."""

    async def reserve(
        self, wire: Dialect, asked: Asked, body: bytes, headers: Headers, caller: Caller
    ) -> Booking | Turned:
        """Hold the most that the request can use, or say why not. Raises BadRequest."""
        ...


class Unlimited:
    """Admits everything; only the caller's own ceiling on output is written into the request."""

    async def reserve(
        self, wire: Dialect, asked: Asked, body: bytes, headers: Headers, caller: Caller
    ) -> Booking | Turned:
        """Return a booking that holds nothing."""
        return Booking(asked, capped(body, asked, wire.cap_keys, caller.grant.max_output_tokens))


class Limiter:
    """Admits by the rules, prices and switches in force."""

    def __init__(self, settings: Settings, files: Files, store: Store, clock: Clock) -> None:
        """Count in `store`, by the rules and prices in `files`."""
        self._settings = settings
        self._store = store
        self._clock = clock
        self._lease_ms = round(settings.lease_s * 1000)
        self._files = files
        self._breakers = Breakers(
            settings.agent_steps, settings.agent_repeats, settings.agent_stale, settings.agent_depth
        )
        self._switches: dict[str, str] = {}
        self._open: dict[str, None] = {}
        self._owed: list[tuple[Hold, Amounts]] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        self._local = MemoryStore(clock)

    @property
    def rules(self) -> Rules:
        """The rules in force."""
        return self._files.rules

    async def reserve(
        self, wire: Dialect, asked: Asked, body: bytes, headers: Headers, caller: Caller
    ) -> Booking | Turned:
        """Hold the most that the request can use, or say why not. Raises BadRequest."""
        if self._breakers.any and (why := self._breakers.trips(asked.prompt.messages, headers)):
            return Turned(wire.error(429, "agent_loop", f"Stopped: {why}."), f"loop: {why}", [answers.NO_RETRY])
        applied = self.rules.applied(self._scopes(asked, headers, caller))
        for scope in (EVERYTHING, *applied.scopes):
            if scope in self._switches:
                return _turned(wire, Denied("off", scope))
        if not applied.limits:
            return Booking(asked, capped(body, asked, wire.cap_keys, caller.grant.max_output_tokens))
        try:
            return await self._book(wire, asked, body, caller, applied)
        except UnboundedError as error:
            return Turned(wire.error(400, "unbounded_cost", str(error)), str(error))
        except UpstreamFailed as error:
            _log.error("limits cannot be counted: %s", error)
            return await self._alone(wire, asked, body, caller, applied)

    async def admit(self, scopes: tuple[str, ...]) -> Hold | Denied:
        """Count one request that no model bills, such as a call of a tool, or say why it may not happen now."""
        applied = self.rules.applied(scopes)
        for scope in (EVERYTHING, *applied.scopes):
            if scope in self._switches:
                return Denied("off", scope)
        limits = tuple(limit for limit in applied.limits if limit.unit in ("requests", "slots"))
        hold = Hold(new_id("h"), limits, Amounts(), applied.scopes)
        if not limits:
            return hold
        try:
            said = await self._store.admit(hold, self._lease_ms)
        except UpstreamFailed as error:
            _log.error("limits cannot be counted: %s", error)
            return Denied("off", "limits that cannot be counted")
        except BaseException:
            self._owed.append((hold, NOTHING))
            raise
        if isinstance(said, Denied):
            return said
        self._open[hold.id] = None
        return hold

    def finish(self, hold: Hold) -> None:
        """Settle what `admit` counted."""
        if hold.limits:
            self._settle(hold, Amounts())

    async def _book(
        self, wire: Dialect, asked: Asked, body: bytes, caller: Caller, applied: Applied
    ) -> Booking | Turned:
        price = most = None
        if applied.bounded and wire.billed:
            price = self._files.price(asked.prompt.model)
            if price is None and (applied.priced or asked.counted is None):
                why = f"The price book does not know the model {asked.prompt.model[:80]!r}."
                return Turned(wire.error(403, "unknown_price", why), why, [answers.NO_RETRY])
            most = _bound(wire, asked, len(body), price, caller, whole=self._settings.unbounded == "whole-context")
        id_, wanted = new_id("h"), most
        hold = None
        try:
            while True:
                money = most.money(price) if most and applied.priced else 0
                amounts = Amounts(money, most.input, most.output) if most else Amounts()
                hold = Hold(id_, applied.limits, amounts, applied.scopes)
                said = await self._store.admit(hold, self._lease_ms)
                if isinstance(said, Admitted):
                    break
                most = self._shorter(said, most, price, wire, asked)
                if most is None:
                    return _turned(wire, said)
            each = most.each if most else caller.grant.max_output_tokens
            forwarded = capped(body, asked, wire.cap_keys, each)
            if most:
                asked, forwarded = usage_wanted(asked, forwarded, wire)
        except BaseException:
            if hold:  # refused, cancelled or unanswered after it may have been admitted: nobody will use it
                self._owed.append((hold, NOTHING))
            raise
        self._open[id_] = None
        notes = answers.rate_headers(wire, said.left, self._clock.wall_ns())
        if each is not None and wanted and each != wanted.each:
            notes.append((b"x-bartizan-output-limit", b"%d" % each))
        drain_s = self._settings.drain_s if self._settings.on_abort == "drain" else 0.0
        return Booking(asked, forwarded, hold, price, most, notes, self._settle, drain_s)

    async def _alone(
        self, wire: Dialect, asked: Asked, body: bytes, caller: Caller, applied: Applied
    ) -> Booking | Turned:
        """The store is away: refuse what a budget counts; of rates and slots allow this replica's part."""
        if applied.bounded or any(limit.kind == "budget" for limit in applied.limits):
            said, more = answers.unavailable(wire)
            return Turned(said, "limits cannot be counted", more)
        parts = tuple(_part(limit, self._settings.replicas) for limit in applied.limits)
        hold = Hold(new_id("h"), parts, Amounts(), applied.scopes)
        forwarded = capped(body, asked, wire.cap_keys, caller.grant.max_output_tokens)
        told = await self._local.admit(hold, self._lease_ms)
        if isinstance(told, Denied):
            return _turned(wire, told)
        notes = answers.rate_headers(wire, told.left, self._clock.wall_ns())
        return Booking(asked, forwarded, hold, headers=notes, charge=self._settle_alone)

    def _settle_alone(self, hold: Hold, used: Amounts) -> None:
        self._start(self._local.settle(hold, used))

    def _shorter(
        self, said: Denied, most: Bound | None, price: Price | None, wire: Dialect, asked: Asked
    ) -> Bound | None:
        """Return a bound with a shorter answer that would fit into what is left, or None."""
        limit = said.limit
        if most is None or most.each is None or price is None or limit is None or said.retry_ms is not None:
            return None
        if self._settings.when_short == "refuse" or not wire.cap_keys or asked.document.get("thinking"):
            return None
        if limit.unit == "money":
            output = price.affords(most.input, said.left)
        elif limit.unit == "output":
            output = said.left if limit.kind == "budget" else (limit.burst or limit.cap)
        else:
            return None
        each = (output - most.extra) // most.choices
        return most.clamped(each) if _SHORTEST <= each < most.each else None

    def _scopes(self, asked: Asked, headers: Headers, caller: Caller) -> tuple[str, ...]:
        prompt = asked.prompt
        scopes = (*caller.scopes, f"key:{caller.id}", f"model:{prompt.model[:200]}")
        if prompt.tools:
            scopes += tuple(f"tool:{name[:200]}" for name in dict.fromkeys(tool.name for tool in prompt.tools))
        if self.rules.by_session:
            named = next((value for name, value in headers if name == _SESSION), b"")
            scopes += (f"session:{caller.id}/{named[:100].decode('latin-1')}",)
        return scopes

    def _settle(self, hold: Hold, used: Amounts) -> None:
        self._start(self._settled(hold, used))

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _settled(self, hold: Hold, used: Amounts) -> None:
        try:
            await self._store.settle(hold, used)
        except UpstreamFailed as error:
            if not self._owed:
                _log.error("what was used cannot be written down, and will be tried again: %s", error)
            self._owed.append((hold, used))
        else:
            self._open.pop(hold.id, None)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep leases, switches, rules and prices fresh while the block runs; then settle and close."""
        await self.refresh()
        keeper = asyncio.ensure_future(self._keep())
        try:
            yield
        finally:
            keeper.cancel()
            await asyncio.wait((keeper,))
            if self._tasks:
                await asyncio.wait(tuple(self._tasks), timeout=_LAST_S)
            await self._pay()
            await self._store.close()

    async def refresh(self) -> None:
        """Take up what the operator changed. What cannot be read leaves what was known in force."""
        try:
            self._switches = await self._store.switches()
        except UpstreamFailed as error:
            _log.error("the switches cannot be read: %s", error)
        try:
            self._files.refresh()
        except BadSettings as error:
            _log.error("%s", error)

    async def _keep(self) -> None:
        renewed_ns = self._clock.monotonic_ns()
        while True:
            await asyncio.sleep(_TICK_S)
            await self.refresh()
            await self._pay()
            if (self._clock.monotonic_ns() - renewed_ns) / 1e6 < self._lease_ms / 3:
                continue
            renewed_ns = self._clock.monotonic_ns()
            try:
                await self._store.renew(list(self._open), self._lease_ms)
                await self._store.sweep()
            except UpstreamFailed as error:
                _log.error("leases cannot be renewed: %s", error)

    async def _pay(self) -> None:
        owed, self._owed = self._owed, []
        for hold, used in owed:
            await self._settled(hold, used)


def _bound(wire: Dialect, asked: Asked, size: int, price: Price | None, caller: Caller, *, whole: bool) -> Bound:
    if asked.counted is not None or price is None:
        return Bound(asked.counted or 0, 0, None)
    model = price.model
    size_of_model = Size(model.context_tokens, model.max_output_tokens, model.image_tokens, model.tool_tokens)
    ceiling = caller.grant.max_output_tokens
    return bound(asked, size, size_of_model, generates=wire.generates, ceiling=ceiling, whole_context=whole)


def _part(limit: Limit, replicas: int) -> Limit:
    """Return this replica's part of a rate or of slots, at least one."""
    burst = max((limit.burst or limit.cap) // replicas, 1)
    return msgspec.structs.replace(limit, cap=max(limit.cap // replicas, 1), burst=burst)


def _turned(wire: Dialect, said: Denied) -> Turned:
    answer, headers = answers.denial(wire, said)
    return Turned(answer, f"{said.kind}: {said.what}", headers)

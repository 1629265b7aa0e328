"""Steps of the limit protocol that are asked for in the same moment run together: one transaction, one message.

Each step stays atomic and they keep their order; what is shared is the cost of the transaction. This is what lets a
durable store cost less than the request that it guards.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from msgspec import Struct

from bartizan.core.errors import UpstreamFailed
from bartizan.ledger.stores import accounts
from bartizan.ledger.stores.accounts import HELD, Row, View
from bartizan.ledger.stores.base import Amounts, Hold

MOST_AT_ONCE = 256
_REST_S = 0.5


class Admit(Struct, frozen=True, gc=False):
    """Hold, or say why not."""

    hold: Hold
    lease_ms: int


class Settle(Struct, frozen=True, gc=False):
    """Replace what is held by what was used."""

    hold: Hold
    used: Amounts


class Renew(Struct, frozen=True, gc=False):
    """Give leases a new end."""

    ids: tuple[str, ...]
    lease_ms: int


Step = Admit | Settle | Renew


def ids_of(steps: Iterable[Step], *, admissions: bool) -> set[str]:
    """Return the holds that the steps must know; `admissions` includes those that should not exist yet."""
    found: set[str] = set()
    for step in steps:
        match step:
            case Renew(ids=ids):
                found.update(ids)
            case Settle(hold=hold):
                found.add(hold.id)
            case Admit(hold=hold):
                if admissions:
                    found.add(hold.id)
    return found


def accounts_of(steps: Iterable[Step], rows: Iterable[Row]) -> set[str]:
    """Return the accounts that the steps and the holds they speak of may change."""
    names = {limit.account for row in rows for limit in row.hold.limits}
    for step in steps:
        if not isinstance(step, Renew):
            for limit in step.hold.limits:
                names.add(limit.account)
    return names


def apply(view: View, steps: Sequence[Step], now_ms: int) -> list[Any]:
    """Run the steps in order and return what each answers."""
    answers: list[Any] = []
    for step in steps:
        match step:
            case Admit(hold=hold, lease_ms=lease_ms):
                answers.append(accounts.admit(view, hold, lease_ms, now_ms))
            case Settle(hold=hold, used=used):
                answers.append(accounts.settle(view, hold, used, now_ms))
            case Renew(ids=ids, lease_ms=lease_ms):
                answers.append(_renew(view, ids, now_ms + lease_ms))
    return answers


def _renew(view: View, ids: Iterable[str], until_ms: int) -> list[str]:
    gone = []
    for id_ in ids:
        row = view.rows.get(id_)
        if row is None or row.state != HELD:
            gone.append(id_)
        else:
            row.until_ms = until_ms
    return gone


class Together:
    """Runs steps at the end of the event loop's turn in which they were asked for."""

    def __init__(self, run: Callable[[Sequence[Step]], list[Any]], linger_s: float = 0.0) -> None:
        """`run` answers all steps or raises UpstreamFailed for all of them.

        A settling may linger for `linger_s` to share the next admission's transaction, and takes effect before it.
        A process that dies meanwhile is charged what it held.
        """
        self._run = run
        self._linger_s = linger_s
        self._waiting: list[tuple[Step, asyncio.Future[Any]]] = []
        self._lingering: asyncio.TimerHandle | None = None
        self._due = False

    def ask(self, step: Step) -> "asyncio.Future[Any]":
        """Return what will be the step's answer."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((step, future))
        if self._linger_s and isinstance(step, Settle):
            if self._lingering is None and not self._due:
                self._lingering = loop.call_later(self._linger_s, self.flush)
        elif not self._due:
            self._due = True
            loop.call_soon(self.flush)
        return future

    def flush(self) -> None:
        """Run what waits."""
        if self._lingering is not None:
            self._lingering.cancel()
        self._lingering, self._due = None, False
        taken, self._waiting = self._waiting, []
        if not taken:
            return
        try:
            answers = self._run([step for step, _ in taken])
        except UpstreamFailed as error:
            _fail(taken, error)
            return
        _answer(taken, answers)


class OneAfterAnother:
    """Runs steps over a connection: those that are asked for while others are under way go together, next.

    After a failure nothing is tried for a moment, so that requests fail at once instead of each waiting in vain.
    """

    def __init__(self, run: Callable[[Sequence[Step]], Awaitable[list[Any]]]) -> None:
        """`run` answers all steps or raises UpstreamFailed for all of them."""
        self._run = run
        self._waiting: list[tuple[Step, asyncio.Future[Any]]] = []
        self._runner: asyncio.Task[None] | None = None
        self._down: tuple[float, str] = (0.0, "")

    def ask(self, step: Step) -> "asyncio.Future[Any]":
        """Return what will be the step's answer. Whoever stops waiting for it does not stop it."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        if loop.time() < self._down[0]:
            future.set_exception(UpstreamFailed(self._down[1]))
            return future
        self._waiting.append((step, future))
        if self._runner is None or self._runner.done():
            self._runner = asyncio.ensure_future(self._go_on())
        return future

    async def _go_on(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            try:
                answers = await self._run([step for step, _ in taken])
            except UpstreamFailed as error:
                self._down = (asyncio.get_running_loop().time() + _REST_S, str(error))
                waiting, self._waiting = self._waiting, []
                _fail([*taken, *waiting], error)
            else:
                _answer(taken, answers)

    async def finished(self) -> None:
        """Wait until nothing is under way."""
        if self._runner is not None and not self._runner.done():
            await asyncio.wait((self._runner,))


def _answer(taken: Sequence[tuple[Step, "asyncio.Future[Any]"]], answers: Sequence[Any]) -> None:
    for (_, future), answer in zip(taken, answers, strict=True):
        if not future.done():
            future.set_result(answer)


def _fail(taken: Sequence[tuple[Step, "asyncio.Future[Any]"]], error: UpstreamFailed) -> None:
    for _, future in taken:
        if not future.done():
            future.set_exception(UpstreamFailed(str(error)))

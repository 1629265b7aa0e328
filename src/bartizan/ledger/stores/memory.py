"""Limits in this process's memory: for tests, simulations, and one gateway that may forget when it stops."""

import heapq

from bartizan.core.clock import Clock
from bartizan.ledger.stores import accounts
from bartizan.ledger.stores.accounts import HELD, SETTLED, Row, View
from bartizan.ledger.stores.base import Admitted, Amounts, Denied, Hold, Limit, Standing

_SWEPT_AT_ONCE = 64


class MemoryStore:
    """A store that lasts as long as the process. Steps are atomic because none of them waits for anything."""

    def __init__(self, clock: Clock) -> None:
        """Begin empty."""
        self._clock = clock
        self._view = View()
        self._ends: list[tuple[int, str]] = []

    def _now(self) -> int:
        return self._clock.wall_ns() // 1_000_000

    async def admit(self, hold: Hold, lease_ms: int) -> Admitted | Denied:
        """Take all of `hold.amounts` from all of `hold.limits`, or nothing."""
        now = self._now()
        self._expire(now)
        said = accounts.admit(self._view, hold, lease_ms, now)
        if isinstance(said, Admitted):
            heapq.heappush(self._ends, (now + lease_ms, hold.id))
        return said

    async def settle(self, hold: Hold, used: Amounts) -> bool:
        """Replace what was held by what was `used`. Return False when it was settled before."""
        now = self._now()
        self._expire(now)
        changed = accounts.settle(self._view, hold, used, now)
        if changed:
            heapq.heappush(self._ends, (self._view.rows[hold.id].until_ms, hold.id))
        return changed

    async def renew(self, ids: list[str], lease_ms: int) -> list[str]:
        """Give these holds a new lease. Return those that are no longer held."""
        now = self._now()
        self._expire(now)
        gone, until = [], now + lease_ms
        for id_ in ids:
            row = self._view.rows.get(id_)
            if row is None or row.state != HELD:
                gone.append(id_)
            else:
                row.until_ms = until
                heapq.heappush(self._ends, (until, id_))
        return gone

    async def sweep(self) -> int:
        """Charge holds whose lease ran out. Return how many."""
        swept, now = 0, self._now()
        while self._ends and self._ends[0][0] <= now:
            swept += self._expire(now)
        kept = self._view.accounts
        for name in [name for name, found in kept.items() if 0 < found.until_ms <= now and not found.held]:
            del kept[name]
        return swept

    def _expire(self, now: int) -> int:
        due: dict[str, Row] = {}
        while self._ends and self._ends[0][0] <= now and len(due) < _SWEPT_AT_ONCE:
            until, id_ = heapq.heappop(self._ends)
            row = self._view.rows.get(id_)
            if row is None or row.until_ms != until:
                continue
            if row.state == HELD:
                due[id_] = row
            else:
                del self._view.rows[id_]
        count = accounts.expire(self._view, due.values(), now) if due else 0
        for id_ in due:
            heapq.heappush(self._ends, (self._view.rows[id_].until_ms, id_))
        return count

    async def standings(self, limits: list[Limit]) -> list[Standing]:
        """Return how the accounts of these limits stand."""
        now = self._now()
        return [accounts.standing(self._view.account(limit), limit, now) for limit in limits]

    async def switch(self, scope: str, why: str) -> None:
        """Stop a scope, or let it go again (`why` is empty)."""
        if why:
            self._view.switches[scope] = why
        else:
            self._view.switches.pop(scope, None)

    async def switches(self) -> dict[str, str]:
        """Return what is stopped, and why."""
        return dict(self._view.switches)

    async def accounts(self) -> list[str]:
        """Return the names of all accounts."""
        return sorted(self._view.accounts)

    async def close(self) -> None:
        """Nothing to let go of."""

    @property
    def open_holds(self) -> int:
        """How many holds are neither settled nor expired."""
        return sum(row.state == HELD for row in self._view.rows.values())

    @property
    def settled_holds(self) -> int:
        """How many settled holds are still remembered."""
        return sum(row.state == SETTLED for row in self._view.rows.values())

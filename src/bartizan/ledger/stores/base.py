"""The words of the limit protocol, and what every store of limits promises.

A store admits a request against all its limits in one atomic step, or against none. What it admitted is held until it
is settled on what was really used. A holder that dies is charged what it held when its lease ends: never released for
free, never held for ever. At every instant and in every window, spent plus held is at most the cap.
"""

from typing import Literal, Protocol

from msgspec import Struct

MOST = 2**52
"""Largest cap and amount. Sums of two stay exact in every store, also where numbers are doubles."""

KEEP_MS = 3_600_000
"""How long a settled hold is remembered, so that settling it again changes nothing."""

Kind = Literal["budget", "rate", "slots"]
Unit = Literal["money", "input", "output", "requests", "slots"]
EVERYTHING = "all"
"""The scope of the switch that stops everybody."""


class Limit(Struct, frozen=True, array_like=True, gc=False):
    """One limit on one account. `account` is unique per scope, unit, kind and window.

    budget: at most `cap` in any `window_ms` (0: for ever). rate: `cap` per `window_ms`, at most `burst` at once (GCRA).
    slots: at most `cap` at the same time.
    """

    account: str
    kind: Kind
    unit: Unit
    cap: int
    window_ms: int = 0
    burst: int = 0
    """0 means `cap`."""


class Amounts(Struct, frozen=True, array_like=True, gc=False):
    """How much of each unit. Money in nano-dollars."""

    money: int = 0
    input: int = 0
    output: int = 0
    requests: int = 1

    def of(self, unit: Unit) -> int:
        """Return the amount of one unit. A request takes one slot."""
        return 1 if unit == "slots" else getattr(self, unit)


NOTHING = Amounts(0, 0, 0, 0)


class Hold(Struct, frozen=True, array_like=True, gc=False):
    """What a request may use at most, under a unique id. `scopes` are asked whether they are switched off."""

    id: str
    limits: tuple[Limit, ...]
    amounts: Amounts
    scopes: tuple[str, ...] = ()


class Left(Struct, frozen=True, gc=False):
    """What is left of one limit after an admission, and when a rate is whole again."""

    limit: Limit
    left: int
    reset_ms: int = 0


class Admitted(Struct, frozen=True, gc=False):
    """It may go on."""

    left: tuple[Left, ...]


class Denied(Struct, frozen=True, gc=False):
    """It may not, and nothing was taken. `retry_ms` is None when waiting does not help."""

    kind: Literal["budget", "rate", "slots", "off"]
    what: str
    """The account or the scope that said no."""
    limit: Limit | None = None
    left: int = 0
    retry_ms: int | None = None


class Standing(Struct, frozen=True, gc=False):
    """How an account stands."""

    account: str
    spent: int
    held: int
    recent: int = 0
    """What was spent in the last `recent_ms`; both 0 where no window says when."""
    recent_ms: int = 0


class Store(Protocol):
    """Keeps limits. Every method is atomic; each raises UpstreamFailed when the store cannot be reached."""

    async def admit(self, hold: Hold, lease_ms: int) -> Admitted | Denied:
        """Take all of `hold.amounts` from all of `hold.limits`, or nothing. Ends leases that ran out first."""
        ...

    async def settle(self, hold: Hold, used: Amounts) -> bool:
        """Replace what was held by what was `used`. Return False when it was settled before: nothing changes then.

        A hold that the store has lost is charged all the same; one that was charged at the end of its lease is
        corrected.
        """
        ...

    async def renew(self, ids: list[str], lease_ms: int) -> list[str]:
        """Give these holds a new lease. Return those that are no longer held."""
        ...

    async def sweep(self) -> int:
        """Charge holds whose lease ran out. Return how many."""
        ...

    async def standings(self, limits: list[Limit]) -> list[Standing]:
        """Return how the accounts of these limits stand."""
        ...

    async def switch(self, scope: str, why: str) -> None:
        """Stop a scope (`why` says why), or let it go again (`why` is empty)."""
        ...

    async def switches(self) -> dict[str, str]:
        """Return what is stopped, and why."""
        ...

    async def accounts(self) -> list[str]:
        """Return the names of all accounts."""
        ...

    async def close(self) -> None:
        """Let go of files and connections."""
        ...

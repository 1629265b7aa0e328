"""One admitted request: what is forwarded for it, what it holds, and what it will have cost.

A booking is settled once. `settle` only starts the work and never waits, so that nobody who cancels a request can
cancel its bill. What is charged: nothing when no upstream read the request or it answered with an error; the provider's
own count when there is one; otherwise all that was held, because nobody can prove that it was less.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bartizan.core.messages import Usage
from bartizan.gateway.limits.bounds import Bound
from bartizan.gateway.limits.prices import Price
from bartizan.gateway.upstream import Answering, NotConnected
from bartizan.gateway.wires.base import Asked, Headers, Said
from bartizan.ledger.stores.base import Amounts, Hold

Settle = Callable[[Hold, Amounts], None]
_ONE_REQUEST = Amounts(0, 0, 0, 1)


@dataclass(frozen=True, slots=True)
class Turned:
    """A request that is not admitted: the answer, its further headers, and why."""

    said: Said
    why: str
    headers: Headers = field(default_factory=list)


@dataclass(slots=True)
class Booking:
    """An admitted request. `asked` and `body` are what is read and forwarded, output limit and all."""

    asked: Asked
    body: bytes
    hold: Hold | None = None
    price: Price | None = None
    bound: Bound | None = None
    headers: Headers = field(default_factory=list)
    charge: Settle | None = None
    drain_s: float = 0.0
    """How long an abandoned answer is read on for its bill; 0 means that it is closed."""
    sent: bool = False
    """Whether an upstream may have read it."""
    streams: bool = False
    """Whether the answer is a stream, which settles the booking when it ends."""
    status: int = 0
    charged: int | None = None
    """Nano-dollars, once settled and where a price is known."""
    usage: Usage | None = None
    """What it was settled on."""
    paid: Callable[[int], None] | None = None
    """Told the nano-dollars that were charged, where a price is known."""
    _settled: bool = False

    @property
    def drains(self) -> bool:
        """Whether an abandoned answer is worth reading to its end: something is held, and not known yet."""
        return self.hold is not None and self.bound is not None and self.drain_s > 0 and not self._settled

    async def sending(self, answer: Awaitable[Answering]) -> Answering:
        """Return the upstream's answer and note whether anybody may have read the request."""
        self.sent = True
        try:
            found = await answer
        except NotConnected:
            self.sent = False
            raise
        self.status = found.status
        return found

    def returned(self) -> None:
        """The request has its answer: settle what no stream is left to settle."""
        if not self.streams:
            self.settle(None)

    def settle(self, usage: Usage | None) -> None:
        """Begin to replace what is held by what was used. The second time changes nothing."""
        if self.hold is None or self.charge is None or self._settled:
            return
        self._settled, self.usage = True, usage
        used = self._used(self.hold, usage)
        self.charged = used.money if self.price is not None else None
        self.charge(self.hold, used)
        if self.charged is not None and self.paid is not None:
            self.paid(self.charged)

    def _used(self, hold: Hold, usage: Usage | None) -> Amounts:
        if not self.sent or self.status >= 400 or self.bound is None:
            return _ONE_REQUEST
        if usage is None:
            return hold.amounts
        money = self.price.charged(usage) if self.price is not None and hold.amounts.money else 0
        return Amounts(money, usage.input_tokens, usage.output_tokens, 1)

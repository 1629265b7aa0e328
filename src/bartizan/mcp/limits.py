"""Whether a call of a tool is within its caller's limits (`[limits]`), counted until its answer is there.

A call is one request of the key, its user, team and organisation, and of `tool:SERVER__TOOL`; rates, counts and slots
hold for it, and the operator's switches. Money and tokens are not counted here: a call has none.
"""

from bartizan.gateway.limits.limiter import Limiter
from bartizan.gateway.limits.rules import words
from bartizan.ledger.stores.base import Denied, Hold
from bartizan.mcp.messages import Id
from bartizan.mcp.names import SEPARATOR


class CallLimits:
    """The limits of one caller at one server."""

    def __init__(self, limiter: Limiter, scopes: tuple[str, ...], server: str) -> None:
        """Count by `limiter` in the caller's `scopes`."""
        self._limiter = limiter
        self._scopes = scopes
        self._server = server
        self._held: dict[Id, Hold] = {}

    async def begin(self, id_: Id, tool: str) -> str:
        """Count a call; return why it may not happen now, or nothing."""
        said = await self._limiter.admit((*self._scopes, f"tool:{self._server}{SEPARATOR}{tool[:200]}"))
        if isinstance(said, Denied):
            return _why(said)
        self._held[id_] = said
        return ""

    def end(self, id_: Id) -> None:
        """Take note that a call is over."""
        if (hold := self._held.pop(id_, None)) is not None:
            self._limiter.finish(hold)

    def close(self) -> None:
        """Take note that all of them are over."""
        for id_ in tuple(self._held):
            self.end(id_)


def _why(denied: Denied) -> str:
    if denied.kind == "off":
        return f"the operator has stopped this ({denied.what.partition(':')[0]})"
    allowed = f" ({words(denied.limit)})" if denied.limit else ""
    again = f"; try again in {denied.retry_ms / 1000:g} s" if denied.retry_ms is not None else ""
    return f"a limit on calls is reached{allowed}{again}"

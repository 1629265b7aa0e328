"""Which upstream serves which model, and who steps in when one cannot be reached.

A request goes to the first upstream whose patterns match its model. The next match gets it only when no connection
could be made, because then nobody has read it: a request that may have been read is never sent twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from bartizan.gateway.upstream import Answering, Headers, NotConnected, Upstream


@dataclass(frozen=True, slots=True)
class Route:
    """The models that one upstream serves."""

    models: tuple[str, ...]
    upstream: Upstream


class Routes:
    """Several upstreams that look like one."""

    name = "routes"

    def __init__(self, routes: Sequence[Route]) -> None:
        """Try `routes` in this order."""
        self._routes = tuple(routes)

    async def send(self, method: str, target: str, headers: Headers, body: bytes, model: str = "") -> Answering:
        """Send to the first that serves `model` and can be reached. Raises UpstreamFailed when there is none."""
        failed = NotConnected(f"no upstream serves the model {model[:80]!r}")
        for route in self._routes:
            if not model or "*" in route.models or any(fnmatchcase(model, pattern) for pattern in route.models):
                try:
                    return await route.upstream.send(method, target, headers, body, model)
                except NotConnected as error:
                    failed = error
        raise failed

    async def close(self) -> None:
        """Close every connection."""
        for route in self._routes:
            await route.upstream.close()

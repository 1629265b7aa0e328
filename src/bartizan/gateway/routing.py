"""Which upstream serves which model, and who steps in when one cannot be reached.

A request goes to the first upstream whose patterns match its model, those that are well before those that are down. The
next match gets it only when no connection could be made, because then nobody has read it: a request that may have been
read is never sent twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from bartizan.gateway import listing
from bartizan.gateway.health import Health
from bartizan.gateway.upstream import Answering, Headers, NotConnected, Upstream


@dataclass(frozen=True, slots=True)
class Route:
    """The models that one upstream serves."""

    models: tuple[str, ...]
    upstream: Upstream
    health: Health | None = None

    def serves(self, model: str) -> bool:
        """Return whether the upstream serves `model`; every one serves a request that names none."""
        return not model or "*" in self.models or any(fnmatchcase(model, pattern) for pattern in self.models)


class Routes:
    """Several upstreams that look like one."""

    name = "routes"

    def __init__(self, routes: Sequence[Route]) -> None:
        """Try `routes` in this order."""
        self._routes = tuple(routes)

    async def send(self, method: str, target: str, headers: Headers, body: bytes, model: str = "") -> Answering:
        """Send to the first that serves `model` and can be reached. Raises UpstreamFailed when there is none."""
        if method == "GET" and not model and len(self._routes) > 1 and target.partition("?")[0] == listing.PATH:
            return await self._list(target, headers)
        failed = NotConnected(f"no upstream serves the model {model[:80]!r}")
        for route in self._in_order(model):
            try:
                return await route.upstream.send(method, target, headers, body, model)
            except NotConnected as error:
                failed = error
                if route.health is not None:
                    route.health.failed(str(error))
        raise failed

    async def _list(self, target: str, headers: Headers) -> Answering:
        """Return the models of all upstreams, each with those that are sent to it."""

        def first(route: Route) -> listing.Serves:
            return lambda model: next((one for one in self._routes if one.serves(model)), None) is route

        up = [route for route in self._routes if route.health is None or route.health.up] or self._routes
        return await listing.listed([(route.upstream, first(route)) for route in up], target, headers)

    def _in_order(self, model: str) -> list[Route]:
        serving = [route for route in self._routes if route.serves(model)]
        if len(serving) > 1:
            serving.sort(key=lambda route: route.health is not None and not route.health.up)
        return serving

    async def close(self) -> None:
        """Close every connection."""
        for route in self._routes:
            await route.upstream.close()

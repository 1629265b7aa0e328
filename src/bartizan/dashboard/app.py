"""The web pages: what the ledger says, and its verification. Reading only, on loopback, without scripts.

There are no accounts here: the pages are for whoever sits at the machine. So only loopback is listened on, and a
request that names another host is refused (DNS rebinding). Nothing is loaded from elsewhere.
"""

import asyncio
from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path

from jinja2 import DictLoader, Environment, StrictUndefined
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from bartizan.core.errors import BadEvidence
from bartizan.dashboard.overview import lines, overview
from bartizan.ledger.log import Ledger
from bartizan.ledger.verify import verify

PAGE = 50
LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]
_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


class Dashboard:
    """The pages over one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        """Show `ledger`."""
        self._ledger = ledger
        folder = files("bartizan.dashboard")
        names = ("base.html", "overview.html", "records.html", "verified.html", "problem.html")
        sources = {name: folder.joinpath(name).read_text(encoding="utf-8") for name in names}
        self._pages = Environment(
            autoescape=True, undefined=StrictUndefined, loader=DictLoader(sources), trim_blocks=True, lstrip_blocks=True
        )

    def app(self) -> Starlette:
        """Return the application."""
        routes = [
            Route("/", self._guarded(self._overview)),
            Route("/records", self._guarded(self._records)),
            Route("/verify", self._guarded(self._verify), methods=["POST"]),
        ]
        return Starlette(routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK)])

    def _guarded(self, page: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                return await page(request)
            except BadEvidence as error:
                return self._page("problem.html", 500, what=str(error), hint=error.hint())

        return answer

    async def _overview(self, request: Request) -> Response:
        return self._page("overview.html", seen=await asyncio.to_thread(overview, self._ledger))

    async def _records(self, request: Request) -> Response:
        size = await asyncio.to_thread(self._ledger.size)
        try:
            first = int(request.query_params.get("first", max(0, size - PAGE)))
        except ValueError:
            return self._page("problem.html", 400, what="first: expected the number of a record", hint="")
        first = min(max(first, 0), max(size - 1, 0))
        shown = lines(await asyncio.to_thread(self._ledger.entries, first, PAGE))
        return self._page("records.html", rows=shown, first=first, size=size, page=PAGE)

    async def _verify(self, request: Request) -> Response:
        result = await asyncio.to_thread(verify, Path(self._ledger.directory), self._ledger.checkpoint_file)
        return self._page("verified.html", result=result)

    def _page(self, name: str, status: int = 200, **values: object) -> Response:
        return HTMLResponse(self._pages.get_template(name).render(**values), status, headers=_HEADERS)

"""Asks model servers whether they are well, so that requests go first to those that are.

A server is down after two failures in a row, or when its first probe fails, and up again after one success. A request
that could not be connected is a failure too. Who is down is asked last, never left out: a probe that errs must not
switch the gateway off. Servers without a path for probes count as well.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable

from bartizan.core.errors import UpstreamFailed
from bartizan.gateway.upstream import Upstream

_log = logging.getLogger("bartizan.gateway")
_FAILURES = 2
_REFUSED = (401, 403)
_MOST_READ = 65536


class Health:
    """What is known of one server."""

    def __init__(self, upstream: Upstream, path: str = "", *, every_s: float = 10.0, timeout_s: float = 5.0) -> None:
        """Ask `path`, if there is one; an answer that takes longer than `timeout_s` is a failure."""
        self.name = upstream.name
        self.path = path
        self._upstream = upstream
        self._every_s = every_s
        self._timeout_s = timeout_s
        self._failures = 0
        self._seen_well = False
        self.up = True

    def well(self) -> None:
        """Note that it answered a probe."""
        self._failures, self._seen_well = 0, True
        if not self.up:
            self.up = True
            _log.warning("upstream %s is up again", self.name)

    def failed(self, why: str) -> None:
        """Note that it failed, where a probe can find out that it is well again."""
        self._failures += 1
        if self.path and self.up and (self._failures >= _FAILURES or not self._seen_well):
            self.up = False
            _log.warning("upstream %s is down: %s", self.name, why)

    async def probe(self) -> None:
        """Ask once. Any answer will do that is no error of the server and no refusal of our key."""
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._upstream.send("GET", self.path, [], b"")
                read = 0
                try:
                    while read < _MOST_READ and (piece := await answer.read()):
                        read += len(piece)
                finally:
                    answer.release()
        except TimeoutError:
            self.failed(f"no answer to {self.path} within {self._timeout_s:g} s")
        except UpstreamFailed as error:
            self.failed(str(error))
        else:
            if answer.status >= 500 or answer.status in _REFUSED:
                self.failed(f"{self.path} answers {answer.status}")
            else:
                self.well()

    async def watch(self) -> None:
        """Ask again and again."""
        while True:
            await self.probe()
            await asyncio.sleep(self._every_s)


@contextlib.asynccontextmanager
async def probing(healths: Iterable[Health]) -> AsyncIterator[None]:
    """Watch all servers that have a path for it, as long as the block lasts."""
    tasks = [asyncio.create_task(health.watch()) for health in healths if health.path]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

"""Tells people: each alert is a record in the ledger, a line in the log, and a POST to the operator's webhook.

The webhook is called beside the request path, one alert after another, a few tries each; what cannot be told is logged
and dropped, because an alert must never hold up a request. No key, no prompt and no answer is ever in an alert.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import httpx

_log = logging.getLogger("bartizan.gateway")
_WAITING = 256
_TRIES = 3
_TIMEOUT_S = 5.0


class Alerts:
    """A queue of alerts and who is told."""

    def __init__(self, webhook: str = "", *, pause_s: float = 1.0) -> None:
        """Post to `webhook`, unless it is empty; rest `pause_s` between tries."""
        self._webhook = webhook
        self._pause_s = pause_s
        self._queue: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue(_WAITING)
        self.record: Callable[[str, Mapping[str, Any]], None] = lambda kind, body: None
        self.lost = 0

    def tell(self, kind: str, body: Mapping[str, Any]) -> None:
        """Record an alert and queue it for the webhook. Never waits."""
        _log.warning("alert %s: %s", kind, body)
        self.record(kind, body)
        if not self._webhook:
            return
        try:
            self._queue.put_nowait({"alert": kind, **body})
        except asyncio.QueueFull:
            self.lost += 1

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Post what is queued while the block runs."""
        task = asyncio.ensure_future(self._post())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait((task,))

    async def _post(self) -> None:
        async with httpx.AsyncClient(timeout=_TIMEOUT_S, follow_redirects=False) as client:
            while True:
                alert = await self._queue.get()
                for _ in range(_TRIES):
                    try:
                        if (await client.post(self._webhook, json=alert)).status_code < 400:
                            break
                    except httpx.HTTPError as error:
                        _log.warning("the webhook does not answer: %s", type(error).__name__)
                    await asyncio.sleep(self._pause_s)
                else:
                    self.lost += 1

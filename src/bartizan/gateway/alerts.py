"""Tells people: each alert is a record in the ledger, a line in the log, and a POST to the operator's webhook.

No key, no prompt and no answer is ever in an alert.
"""

import contextlib
import logging
from collections.abc import Callable, Mapping
from typing import Any

from bartizan.gateway.webhooks import Poster

_log = logging.getLogger("bartizan.gateway")


class Alerts:
    """Alerts and who is told."""

    def __init__(self, webhook: str = "", *, pause_s: float = 1.0) -> None:
        """Post to `webhook`, unless it is empty; rest `pause_s` between tries."""
        self._poster = Poster(webhook, pause_s=pause_s)
        self.record: Callable[[str, Mapping[str, Any]], None] = lambda kind, body: None

    def tell(self, kind: str, body: Mapping[str, Any]) -> None:
        """Record an alert and queue it for the webhook. Never waits."""
        _log.warning("alert %s: %s", kind, body)
        self.record(kind, body)
        self._poster.post({"alert": kind, **body})

    @property
    def lost(self) -> int:
        """Return how many could not be posted."""
        return self._poster.lost

    def running(self) -> contextlib.AbstractAsyncContextManager[None]:
        """Post what is queued while the block runs."""
        return self._poster.running()

"""One list of models out of those of several servers: of each server the models that would be sent to it.

A server that fails, or answers anything but a list, is left out; when none is left the list cannot be had.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bartizan.core.errors import UpstreamFailed
from bartizan.gateway.upstream import Answering, Headers, Upstream
from bartizan.gateway.wires.base import decode, dicts, dump

PATH = "/v1/models"
_LARGEST = 4194304


@dataclass(slots=True)
class Listed:
    """A list that is ours, as an answer of one piece."""

    body: bytes
    source: str
    headers: Headers
    status: int = 200

    async def read(self) -> bytes:
        """Return the list, then nothing."""
        body, self.body = self.body, b""
        return body

    def release(self) -> None:
        """Nothing is held."""


Serves = Callable[[str], bool]
"""Whether a request for this model would go to the server."""


async def listed(servers: Sequence[tuple[Upstream, Serves]], target: str, headers: Headers) -> Answering:
    """Return the models of all servers. Raises UpstreamFailed when none gives a list."""
    lists = await asyncio.gather(*(_list_of(server, target, headers) for server, _ in servers))
    merged: dict[str, Any] = {}
    for document, (_, serves) in zip(lists, servers, strict=True):
        if document is not None:
            mine = [model for model in dicts(document.get("data")) if serves(str(model.get("id", "")))]
            merged = {**document, **merged, "data": [*merged.get("data", ()), *mine]}
    if not merged:
        raise UpstreamFailed("no model server gives a list of models")
    return Listed(dump(merged), "routes", [(b"content-type", b"application/json")])


async def _list_of(server: Upstream, target: str, headers: Headers) -> dict[str, Any] | None:
    try:
        answer = await server.send("GET", target, headers, b"")
        body = b""
        try:
            while len(body) < _LARGEST and (piece := await answer.read()):
                body += piece
        finally:
            answer.release()
        document = decode(body) if answer.status == 200 else None
    except (UpstreamFailed, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and isinstance(document.get("data"), list) else None

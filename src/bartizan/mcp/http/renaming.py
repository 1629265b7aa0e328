"""Ids of our own for requests that stand for themselves (2026-07-28), so that two clients may use the same one.

Each client numbers its requests from 1. Behind us they share one conversation per caller, in which every request needs
an id of its own; what comes back carries the client's again, also where a message repeats it.
"""

from dataclasses import replace
from typing import Any

from bartizan.mcp.messages import Answer, Message, Notification, Request

SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"
_TOKEN = "progressToken"  # noqa: S105 - MCP's word for what progress is reported about


def renamed(asked: Request, id_: int) -> Request:
    """Return a request under the id `id_`."""
    params, meta = asked.params, asked.params.get("_meta")
    if isinstance(meta, dict) and _TOKEN in meta:
        params = {**params, "_meta": {**meta, _TOKEN: id_}}
    return replace(asked, id=id_, params=params)


def restored(message: Message, asked: Request) -> Message:
    """Return a message about the client's request `asked` as the client must see it."""
    match message:
        case Answer(_, result, error):
            return Answer(asked.id, _about(result, asked) if result is not None else None, error)
        case Notification(method, params):
            params = _about(params, asked)
            meta = asked.params.get("_meta")
            if method == "notifications/progress" and isinstance(meta, dict) and _TOKEN in meta:
                params = {**params, _TOKEN: meta[_TOKEN]}
            return Notification(method, params)
        case Request():
            return message


def _about(params: dict[str, Any], asked: Request) -> dict[str, Any]:
    meta = params.get("_meta")
    if not isinstance(meta, dict) or SUBSCRIPTION not in meta:
        return params
    return {**params, "_meta": {**meta, SUBSCRIPTION: asked.id}}

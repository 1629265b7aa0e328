"""Reads and writes JSON-RPC messages the way a guard must: what two parsers could read differently is refused.

A message is one JSON object: batches left MCP with revision 2025-06-18, and a batch is a way to carry a second request
past whoever reads the first. What is handed on is written anew from what was read, so nothing that was not judged
travels. Acts are what a session wants done with messages, in order. Follows JSON-RPC 2.0 and MCP 2025-11-25 and
2026-07-28. Does not validate any schema.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bartizan.core.errors import BadRequest
from bartizan.gateway.wires.strict_json import loads, refuse_lookalike_keys

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
REFUSED = -32001
"""Ours, out of the range that MCP leaves to implementations: a control said no."""
HEADER_MISMATCH = -32020
UNSUPPORTED_VERSION = -32022

MOST_DEPTH = 64
MOST_NODES = 200_000
MOST_METHOD = 128
MOST_ID = 256
_ENVELOPE = frozenset(("jsonrpc", "id", "method", "params", "result", "error"))

Id = str | int


class Malformed(BadRequest):
    """What arrived is no message that can be handed on. `code` is JSON-RPC's, `id` the request's when it is known."""

    def __init__(self, what: str, code: int = INVALID_REQUEST, id_: Id | None = None) -> None:
        """Keep what an answer needs."""
        super().__init__(what)
        self.code = code
        self.id = id_


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody asks for something and waits for the answer with the same id."""

    id: Id
    method: str
    params: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Notification:
    """Somebody says something and waits for nothing."""

    method: str
    params: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a request: a result, or an error. `id` is None where the other side could not read ours."""

    id: Id | None
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


Message = Request | Notification | Answer


def read(raw: bytes, most_bytes: int = 16777216) -> Message:
    """Return the message in `raw`. Raises Malformed."""
    if len(raw) > most_bytes:
        raise Malformed(f"a message of {len(raw)} bytes: expected at most {most_bytes}")
    if raw.lstrip()[:1] == b"[":
        raise Malformed("a batch of messages: expected one JSON object (batches left MCP in 2025-06-18)")
    try:
        tree = loads(raw)
    except BadRequest as error:
        raise Malformed(str(error).removeprefix("request body: "), PARSE_ERROR) from None
    id_ = tree.get("id")
    known = id_ if _is_id(id_) else None
    try:
        refuse_lookalike_keys(tree, _ENVELOPE, "message")
        weigh(tree)
        return _message(tree)
    except BadRequest as error:
        code = error.code if isinstance(error, Malformed) else INVALID_REQUEST
        raise Malformed(str(error), code, known) from None


def _is_id(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= MOST_ID
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def _message(tree: dict[str, Any]) -> Message:
    if tree.get("jsonrpc") != "2.0":
        raise Malformed('a message without "jsonrpc": "2.0"')
    id_, named = tree.get("id"), "id" in tree
    if "method" in tree:
        if "result" in tree or "error" in tree:
            raise Malformed("a message that both asks and answers")
        method, params = tree["method"], tree.get("params", {})
        if not isinstance(method, str) or not 0 < len(method) <= MOST_METHOD:
            raise Malformed(f"a method that is no name of up to {MOST_METHOD} characters")
        if not isinstance(params, dict):
            raise Malformed("params: expected an object", INVALID_PARAMS)
        if not named:
            return Notification(method, params)
        if not _is_id(id_):
            raise Malformed("an id that is no string or integer: expected one of them")
        return Request(id_, method, params)  # type: ignore[arg-type]
    result, error = tree.get("result"), tree.get("error")
    if ("result" in tree) == ("error" in tree):
        raise Malformed("a message that is neither a request nor an answer")
    if error is not None:
        return Answer(id_ if _is_id(id_) else None, error=_error(error))
    if not _is_id(id_):
        raise Malformed("an answer without the id of its request")
    if not isinstance(result, dict):
        raise Malformed("result: expected an object")
    return Answer(id_, result=result)


def _error(error: object) -> dict[str, Any]:
    if not isinstance(error, dict) or not isinstance(error.get("code"), int) or isinstance(error.get("code"), bool):
        raise Malformed("error: expected an object with a code")
    if not isinstance(error.get("message", ""), str):
        raise Malformed("error.message: expected a string")
    return error


def weigh(tree: object) -> None:
    """Raise Malformed when a JSON tree is deeper or has more parts than any honest message."""
    level: list[Any] = [tree]
    nodes = depth = 0
    while level:
        depth += 1
        nodes += len(level)
        if depth > MOST_DEPTH:
            raise Malformed(f"JSON nested more than {MOST_DEPTH} deep")
        if nodes > MOST_NODES:
            raise Malformed(f"JSON of more than {MOST_NODES} parts")
        below: list[Any] = []
        for node in level:
            if isinstance(node, dict):
                below.extend(node.values())
            elif isinstance(node, list):
                below.extend(node)
        level = below


def written(message: Message) -> bytes:
    """Return the message as one line of JSON, without a line end in it."""
    tree: dict[str, Any] = {"jsonrpc": "2.0"}
    match message:
        case Request(id_, method, params):
            tree |= {"id": id_, "method": method}
            if params:
                tree["params"] = params
        case Notification(method, params):
            tree["method"] = method
            if params:
                tree["params"] = params
        case Answer(id_, result, error):
            tree["id"] = id_
            tree |= {"result": result} if error is None else {"error": error}
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":")).encode()


def refusal(id_: Id | None, code: int, why: str, data: dict[str, Any] | None = None) -> Answer:
    """Return the error that answers the request `id_`."""
    error: dict[str, Any] = {"code": code, "message": why}
    return Answer(id_, error={**error, "data": data} if data else error)


def key_of(id_: Id) -> tuple[bool, Id]:
    """Return an id so that 1 and "1" are two: they are different requests."""
    return (isinstance(id_, str), id_)


@dataclass(frozen=True, slots=True)
class ToServer:
    """Send this to the server."""

    message: Message


@dataclass(frozen=True, slots=True)
class ToClient:
    """Send this to the client."""

    message: Message


@dataclass(frozen=True, slots=True)
class Note:
    """Record this before anything that comes after it is sent. What need not be on disk first is not `durable`."""

    kind: str
    body: Mapping[str, Any]
    durable: bool = True


Act = ToServer | ToClient | Note

"""The OpenAPI description of the HTTP surface, made from the wires that run; `GET /openapi.json` serves it.

It says what the gateway itself asks of a request: what an upstream wants beyond that is the upstream's to say, so
further keys are allowed everywhere.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

from bartizan import __version__
from bartizan.gateway.wires.base import Wire, dump

_TEXT = {"type": "string"}
_ANY = {"type": "object"}
_CONTENT = {"oneOf": [_TEXT, {"type": "array", "items": _ANY}]}
_ERRORS = {
    400: "Not one unambiguous request.",
    401: "No key, or none that is known.",
    404: "No such route, or no such model.",
    403: "The key's rights do not cover this.",
    408: "The request did not come to its end in time.",
    413: "The body is too large.",
    415: "The body is compressed.",
    429: "A limit is reached; `retry-after` and `x-should-retry` say what to do.",
    502: "The model server did not answer.",
    503: "The ledger cannot be written, or the gateway starts or stops.",
}


def _message(*roles: str, content: bool) -> dict[str, Any]:
    required = ["role", "content"] if content else ["role"]
    return {
        "type": "object",
        "required": required,
        "properties": {"role": {"type": "string", "enum": list(roles)}, "content": _CONTENT},
    }


def _body(required: Iterable[str], **properties: dict[str, Any]) -> dict[str, Any]:
    known = {"model": {"type": "string", "examples": ["m"]}, "stream": {"type": "boolean"}, **properties}
    return {"type": "object", "required": ["model", *required], "properties": known}


def _messages(*roles: str, content: bool) -> dict[str, Any]:
    return {"type": "array", "items": _message(*roles, content=content)}


_CHAT_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_CLAUDE = {"messages": _messages("user", "assistant", "system", content=True), "max_tokens": {"type": "integer"}}
_BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": _body(["messages"], messages=_messages(*_CHAT_ROLES, content=False)),
    "/v1/responses": _body([], input=_TEXT, instructions=_TEXT),
    "/v1/completions": _body(["prompt"], prompt=_TEXT),
    "/v1/embeddings": _body(["input"], input={"oneOf": [_TEXT, {"type": "array", "items": _TEXT}]}),
    "/v1/messages": _body(["messages"], **_CLAUDE),
    "/v1/messages/count_tokens": _body(["messages"], **_CLAUDE),
}
_KEYS: list[dict[str, list[str]]] = [{"bearer": []}, {"xApiKey": []}, {}]
_VERDICTS = {
    "x-bartizan-id": {"schema": _TEXT, "description": "Names the request in logs, spans and the ledger."},
    "x-bartizan-verdict": {"schema": {"type": "string", "enum": ["allow", "redact", "ask", "block"]}},
    "x-bartizan-receipt": {"schema": _TEXT, "description": "SEQ:HASH of the request's record in the ledger."},
}


def _errors(*statuses: int) -> dict[str, Any]:
    kind = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {str(status): {"description": _ERRORS[status], "content": kind} for status in statuses}


def _asking(wire: Wire, path: str) -> dict[str, Any]:
    answers: dict[str, Any] = {"application/json": {"schema": _ANY}}
    if wire.generates:
        answers["text/event-stream"] = {"schema": _TEXT}
    what = "What the model server answers, or a refusal in the dialect's own form."
    return {
        "operationId": path.strip("/").replace("/", "-"),
        "summary": f"{wire.name}: screened and forwarded" if wire.generates else f"{wire.name}: forwarded",
        "security": _KEYS,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _BODIES.get(path, _body([]))}},
        },
        "responses": {
            "200": {"description": what, "headers": _VERDICTS, "content": answers},
            **_errors(*(status for status in _ERRORS if status != 404)),
        },
    }


def _reading(what: str, kind: str, *errors: int, secured: bool = False, **more: Any) -> dict[str, Any]:
    answer = {"description": what, "content": {kind: {"schema": _TEXT if kind == "text/plain" else _ANY}}}
    security = _KEYS if secured else [{}]
    return {"get": {"summary": what, "security": security, "responses": {"200": answer, **_errors(*errors)}, **more}}


def describe(wires: Iterable[Wire]) -> dict[str, Any]:
    """Return the description of a gateway that speaks `wires`."""
    paths: dict[str, Any] = {path: {"post": _asking(wire, path)} for wire in wires for path in wire.paths}
    model = {
        "name": "model",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": "^[a-z0-9]{1,40}$"},
    }
    paths |= {
        "/v1/models": _reading(
            "The models, as the model server lists them.", "application/json", 401, 502, secured=True
        ),
        "/v1/models/{model}": _reading(
            "One model.", "application/json", 401, 404, 502, secured=True, parameters=[model]
        ),
        "/healthz": _reading("The process lives.", "application/json"),
        "/readyz": _reading(
            "The gateway can answer: the ledger can be written, a model server is up.", "application/json", 503
        ),
        "/metrics": _reading("Counters in Prometheus' text form; admin keys only.", "text/plain", 403, secured=True),
        "/openapi.json": _reading("This description.", "application/json"),
    }
    error = {"type": "object", "required": ["error"], "properties": {"error": {"type": "object"}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Bartizan gateway", "version": __version__, "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": {"Error": error},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "xApiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            },
        },
    }


@cache
def described(wires: tuple[Wire, ...]) -> bytes:
    """Return the description as JSON."""
    return dump(describe(wires))

"""The application: finds who answers a request, by path and method. Decides nothing about a request's content.

Routing is one dictionary. What arrives here is a whole request within bounds (`gateway/inbound.py`).
"""

import contextlib
import re
from collections.abc import AsyncIterator, Callable, Sequence

from bartizan.core.errors import BadRequest, Refused
from bartizan.gateway.auth import Headers
from bartizan.gateway.call import Answer, Call
from bartizan.gateway.exchange import exchange
from bartizan.gateway.gate import Gate
from bartizan.gateway.models import models
from bartizan.gateway.openapi import described
from bartizan.gateway.operations import operations
from bartizan.gateway.predict.dialects import DIALECT
from bartizan.gateway.wires import WIRES
from bartizan.gateway.wires.base import Wire
from bartizan.gateway.wires.openai_answers import openai_error

_MODELS = re.compile(r"/v1/models(?:/[A-Za-z0-9._:/@-]{1,200})?")
_OPERATIONS = ("/healthz", "/readyz", "/metrics")


class GatewayApp:
    """The application. `open_gate` makes the gate when the server starts and closes it when the server stops."""

    def __init__(
        self,
        open_gate: Callable[[], contextlib.AbstractAsyncContextManager[Gate]],
        *,
        wires: Sequence[Wire] = WIRES,
        body_bytes: int = 16777216,
    ) -> None:
        """Prepare the routes. No request may have a body of more than `body_bytes`."""
        self._open_gate = open_gate
        self._gate: Gate | None = None
        self._spoken = tuple(wires)
        self._wires = {path: wire for wire in wires for path in wire.paths}
        self.body_bytes = body_bytes

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hold the gate open. Raises whatever keeps it from opening: without evidence nothing is served."""
        async with self._open_gate() as self._gate:
            try:
                yield
            finally:
                self._gate = None

    async def leave(self) -> None:
        """Do nothing: each answer ends of itself."""

    async def answer(self, call: Call) -> Answer:
        """Return the answer to one request."""
        path, method, gate = call.path, call.method, self._gate
        wire = self._wires.get(path)
        if gate is None:
            return self.refusal(path, 503, "not_ready", "The gateway is starting or stopping.")
        if gate.predictive is not None and (said := await gate.predictive.answer(gate, call)) is not None:
            return said
        if wire is not None and method == "POST":
            try:
                _readable(call)
            except BadRequest as error:
                return self.refusal(path, 415, "unsupported_encoding", str(error))
            return await exchange(gate, wire, call)
        if method == "POST" and (route := gate.routes.get(path)) is not None:
            return await route(gate, call)
        if path == "/openapi.json" and method in ("GET", "HEAD"):
            return Answer(200, [(b"content-type", b"application/json")], described(self._spoken))
        if method == "GET" and _MODELS.fullmatch(path) and ".." not in path:
            return await models(gate, call)
        if path in _OPERATIONS and method in ("GET", "HEAD"):
            return operations(gate, path, call.headers)
        if wire is not None:
            refused = self.refusal(path, 405, "method_not_allowed", f"{path} takes POST, got {method[:20]}.")
            refused.headers.append((b"allow", b"POST"))
            return refused
        return self.refusal(path, 404, "not_found", f"No route {path[:100]!r} here.")

    def admits(self, headers: Headers) -> str:
        """Return why who sends these headers may not send a large body, or nothing: it would be read for nothing."""
        try:
            if self._gate is not None:
                self._gate.auth.identify(headers)
        except Refused as error:
            return str(error)
        return ""

    def refusal(self, path: str, status: int, code: str, message: str) -> Answer:
        """Return an error in the form that the clients of `path` read."""
        wire = self._wires.get(path)
        if wire is None and path.startswith("/v2/"):
            said = DIALECT.error(status, code, message)
        else:
            said = wire.error(status, code, message) if wire else openai_error(status, code, message)
        return Answer(said.status, [(b"content-type", said.content_type)], said.body)


def _readable(call: Call) -> None:
    for name, value in call.headers:
        if name == b"content-encoding" and value.lower() != b"identity":
            raise BadRequest("compressed request bodies are not taken: what is not read cannot be screened")

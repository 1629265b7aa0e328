"""One conversation of a client with a server: every message judged, nothing done. Sans-I/O: messages in, acts out.

Promises: only listed methods pass, each in its direction; an answer passes only to a request that waits for it; a call
of a tool passes only when it may (`calls.py`) and is recorded first; what a server returns or asks is judged before the
client gets it (`answers.py`, `asking.py`). Whatever fails on the way becomes a refusal, never a passage.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bartizan.core.errors import BartizanError
from bartizan.core.messages import Trust
from bartizan.ledger.decisions import call_hash
from bartizan.mcp.answers import Asked, answered, denial, noted
from bartizan.mcp.asking import refused_asking
from bartizan.mcp.calls import Ruling
from bartizan.mcp.messages import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    REFUSED,
    UNSUPPORTED_VERSION,
    Act,
    Answer,
    Id,
    Message,
    Note,
    Notification,
    Request,
    ToClient,
    ToServer,
    key_of,
    refusal,
)
from bartizan.mcp.methods import (
    ASKS_BACK,
    CAPABILITIES_KEY,
    CLIENT_NOTIFICATIONS,
    CLIENT_REQUESTS,
    HANDSHAKE_ONLY,
    HANDSHAKE_VERSIONS,
    SERVER_NOTIFICATIONS,
    SERVER_REQUESTS,
    STATELESS_VERSIONS,
    VERSION_KEY,
    without,
)
from bartizan.mcp.names import SEPARATOR, inner
from bartizan.mcp.server import Server
from bartizan.mcp.uris import refused_uri

_MINUTE_NS = 60 * 10**9
_READS = ("tools/call", "resources/read", "prompts/get", "tasks/result")
_MOST_ASKING = 64


class Session:
    """One conversation. `principal` is the caller as the operator's rules name it."""

    def __init__(
        self, server: Server, principal: str = "", name: str = "", granted: Callable[..., bool] | None = None
    ) -> None:
        """Begin with nothing said. `granted` says whether the caller may use a tool of these names (default: any)."""
        self.server = server
        self.version = ""
        self._principal = principal
        self._name = name
        self._granted = granted
        self._asked: dict[tuple[bool, Id], Asked] = {}
        self._asking: dict[tuple[bool, Id], str] = {}
        self._calls: deque[int] = deque()
        self._steps = 0
        self._read = False

    def client_says(self, message: Message) -> list[Act]:
        """Return what becomes of a client's message. Total: a control that fails refuses."""
        try:
            match message:
                case Request():
                    return self._client_asks(message)
                case Notification():
                    return self._client_tells(message)
                case Answer():
                    return self._client_answers(message)
        except Exception as error:  # noqa: BLE001 - a control may fail in any way; none may open the gate
            return self._broken("client", error, message.id if isinstance(message, Request) else None)

    def server_says(self, message: Message) -> list[Act]:
        """Return what becomes of a server's message. Total: a control that fails refuses."""
        asked = None
        try:
            match message:
                case Request():
                    return self._server_asks(message)
                case Notification():
                    return self._server_tells(message)
                case Answer():
                    asked = self._asked.pop(key_of(message.id), None) if message.id is not None else None
                    return self._server_answers(asked, message)
        except Exception as error:  # noqa: BLE001 - as above
            return self._broken("server", error, asked.id if asked else None)

    def late(self, id_: Id) -> list[Act]:
        """Give up waiting for the answer to the client's request `id_`."""
        acts = self.lost(id_, f"{self.server.name} did not answer within {self.server.settings.call_timeout_s:g} s")
        cancelled = Notification("notifications/cancelled", {"requestId": id_, "reason": "too late"})
        return [acts[0], ToServer(cancelled), *acts[1:]] if acts else []

    def lost(self, id_: Id, why: str) -> list[Act]:
        """Answer the client's request `id_` with an error: the server's answer will not come."""
        asked = self._asked.pop(key_of(id_), None)
        if asked is None:
            return []
        note = Note("mcp-refused", {**self._about(), "from": "server", "what": asked.what, "why": why})
        return [note, ToClient(refusal(id_, INTERNAL_ERROR, why))]

    def abandoned(self, id_: Id) -> list[Act]:
        """Tell the server that nobody waits any more for the answer to the client's request `id_`."""
        if self._asked.pop(key_of(id_), None) is None:
            return []
        return [ToServer(Notification("notifications/cancelled", {"requestId": id_, "reason": "the client went away"}))]

    def slow(self, message: Message) -> list[Act]:
        """Refuse a message whose judgement took too long."""
        why = "the judgement took too long"
        if isinstance(message, Answer) and message.id is not None:
            self._asked.pop(key_of(message.id), None)
            return [self._refused("server", "answer", why), *self._no(message.id, INTERNAL_ERROR, f"refused: {why}")]
        id_ = message.id if isinstance(message, Request) else None
        note = self._refused("either", "message", why)
        return [note, *(self._no(id_, INTERNAL_ERROR, f"refused: {why}") if id_ is not None else [])]

    def over(self, asked: Request, why: str) -> list[Act]:
        """Refuse a call that is over a limit, in the form that the model reads."""
        meta = asked.params.get("_meta")
        stateless = isinstance(meta, dict) and meta.get(VERSION_KEY) in STATELESS_VERSIONS
        note = self._refused("client", str(asked.params.get("name", "")), why)
        return [note, ToClient(denial(Asked(asked.id, asked.method, stateless=stateless), f"Refused: {why}."))]

    def forget(self, id_: Id) -> None:
        """Wait no more for the answer to the client's request `id_`."""
        self._asked.pop(key_of(id_), None)

    def waiting(self) -> list[Id]:
        """Return the client's requests that have no answer yet."""
        return [asked.id for asked in self._asked.values()]

    @property
    def tainted(self) -> bool:
        """Whether the client was given something that anybody could have written."""
        return self._read or self._principal in self.server.read_by

    # from the client

    def _client_asks(self, asked: Request) -> list[Act]:
        if key_of(asked.id) in self._asked:
            return [
                self._refused("client", asked.method, "a second request with the same id"),
                *self._no(asked.id, INVALID_REQUEST, "a request with this id is still under way"),
            ]
        if len(self._asked) >= self.server.settings.requests_at_once:
            return self._no(asked.id, REFUSED, "too many requests at once (mcp.requests_at_once)")
        if asked.method not in CLIENT_REQUESTS:
            note = self._refused("client", asked.method, "a method that is not on the list")
            return [note, *self._no(asked.id, METHOD_NOT_FOUND, f"method not found: {asked.method[:80]}")]
        meta = asked.params.get("_meta")
        version = meta.get(VERSION_KEY) if isinstance(meta, dict) else None
        stateless = version in STATELESS_VERSIONS
        if version is not None and not stateless:
            data = {"supported": list(STATELESS_VERSIONS), "requested": str(version)[:80]}
            return [ToClient(refusal(asked.id, UNSUPPORTED_VERSION, "Unsupported protocol version", data))]
        if stateless and asked.method in HANDSHAKE_ONLY:
            return self._no(asked.id, METHOD_NOT_FOUND, f"{asked.method} left MCP with {version}")
        params = self._modest(asked.params)
        cursor = params.get("cursor")
        waits = Asked(asked.id, asked.method, cursor=str(cursor or ""), stateless=stateless)
        if params.get("inputResponses") and self.server.denied == frozenset(ASKS_BACK.values()):
            return self._no(asked.id, INVALID_PARAMS, "inputResponses: the server was given no leave to ask")
        match asked.method:
            case "tools/call":
                return self._call(waits, params)
            case "initialize" if params.get("protocolVersion") not in HANDSHAKE_VERSIONS:
                # A client may well speak more than we know: what it is told is the latest that we do.
                params = {**params, "protocolVersion": HANDSHAKE_VERSIONS[-1]}
            case "resources/read" | "resources/subscribe" | "resources/unsubscribe":
                why = refused_uri(params.get("uri"), self.server.contents.hosts)
                if why:
                    return [self._refused("client", asked.method, why), *self._no(asked.id, INVALID_PARAMS, why)]
            case _:
                pass
        return self._pass(waits, params)

    def _pass(self, waits: Asked, params: dict[str, Any]) -> list[Act]:
        self._asked[key_of(waits.id)] = waits
        return [ToServer(Request(waits.id, waits.method, params))]

    def _modest(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return params in which the client claims no ability that the server may not use."""
        denied = self.server.denied
        if "capabilities" in params:
            params = {**params, "capabilities": without(params["capabilities"], denied)}
        meta = params.get("_meta")
        if isinstance(meta, dict) and CAPABILITIES_KEY in meta:
            params = {**params, "_meta": {**meta, CAPABILITIES_KEY: without(meta[CAPABILITIES_KEY], denied)}}
        return params

    def _call(self, waits: Asked, params: dict[str, Any]) -> list[Act]:
        server, name, arguments = self.server, params.get("name"), params.get("arguments")
        if arguments is None:
            arguments = {}
        if not isinstance(name, str) or not isinstance(arguments, dict):
            return self._no(waits.id, INVALID_PARAMS, "tools/call: expected a name and an object of arguments")
        own = inner(server.name, name, namespaced=server.settings.namespaced)
        if own is None or own.startswith("#"):
            return self._no(waits.id, INVALID_PARAMS, f"Unknown tool: {name[:80]}")
        waits = replace(waits, tool=own)
        most = server.settings.calls_per_session
        why = "" if self._in_time() else f"more than {server.settings.calls_per_minute} calls within a minute"
        if most and self.version and self._steps >= most:  # a session has one; requests without a session have none
            why = f"more than {most} calls in one session"
        self._steps += 1
        if why:
            return [self._refused("client", own, why), ToClient(denial(waits, f"Refused: {why}."))]
        if not self._may_use(own):
            ruling = Ruling("block", "not-granted", "this key may not use this tool")
        else:
            ruling = server.calls.judge(server.name, own, arguments, principal=self._principal, tainted=self.tainted)
        body = {
            **self._about(),
            "tool": own,
            "arguments": call_hash(arguments),
            "verdict": ruling.verdict,
            "reason": ruling.reason,
            "why": ruling.why,
            "effect": ruling.effect,
            "decision": ruling.decision,
            "findings": noted(ruling.findings),
        }
        note = Note("mcp-call", body)
        if ruling.reason == "tool-unknown":
            return [note, *self._no(waits.id, INVALID_PARAMS, f"Unknown tool: {name[:80]} ({ruling.why})")]
        if ruling.verdict == "block":
            return [note, ToClient(denial(waits, f"Refused ({ruling.reason}): {ruling.why}."))]
        content = server.catalogue.pins.approved(server.name, own) or {}
        trusted = server.calls.tool(server.name, content).result_trusted
        return [note, *self._pass(replace(waits, trusted=trusted), {**params, "name": own})]

    def _may_use(self, own: str) -> bool:
        """Return whether the caller's key may use a tool, by the server's own name of it."""
        return self._granted is None or self._granted(own, f"{self.server.name}{SEPARATOR}{own}")

    def _in_time(self) -> bool:
        now = self.server.clock.monotonic_ns()
        while self._calls and now - self._calls[0] >= _MINUTE_NS:
            self._calls.popleft()
        if len(self._calls) >= self.server.settings.calls_per_minute:
            return False
        self._calls.append(now)
        return True

    def _client_tells(self, told: Notification) -> list[Act]:
        if told.method not in CLIENT_NOTIFICATIONS:
            return [self._refused("client", told.method, "a notification that is not on the list")]
        if told.method == "notifications/roots/list_changed" and "roots" in self.server.denied:
            return []
        if told.method == "notifications/cancelled":
            id_ = told.params.get("requestId")
            if not isinstance(id_, str | int) or key_of(id_) not in self._asked:
                return []
        return [ToServer(told)]

    def _client_answers(self, answer: Answer) -> list[Act]:
        if answer.id is None or self._asking.pop(key_of(answer.id), None) is None:
            return [self._refused("client", "answer", "an answer to nothing that the server asked")]
        return [ToServer(answer)]

    # from the server

    def _server_asks(self, asking: Request) -> list[Act]:
        if asking.method in SERVER_REQUESTS:
            why = ""
        else:
            server = self.server
            why = refused_asking(asking.method, asking.params, server.denied, server.contents, server.name)
        if not why and (key_of(asking.id) in self._asking or len(self._asking) >= _MOST_ASKING):
            why = "too many requests at once, or one id twice"
        if why:
            note = self._refused("server", asking.method, why)
            return [note, ToServer(refusal(asking.id, METHOD_NOT_FOUND, f"not allowed here: {why}"))]
        self._asking[key_of(asking.id)] = asking.method
        return [ToClient(replace(asking, params=self.server.contents.tamed(asking.params)))]

    def _server_tells(self, told: Notification) -> list[Act]:
        if told.method not in SERVER_NOTIFICATIONS:
            return [self._refused("server", told.method, "a notification that is not on the list")]
        if told.method == "notifications/cancelled":
            id_ = told.params.get("requestId")
            if isinstance(id_, str | int):
                self._asking.pop(key_of(id_), None)
            return [ToClient(told)]
        if not told.params or told.method.endswith("list_changed"):
            return [ToClient(told)]
        server = self.server
        screened = server.contents.screened({"params": told.params}, server.name, told.method, Trust.WEB)
        if screened.withheld:
            return [self._refused("server", told.method, f"its text looks like an attack: {screened.withheld}")]
        return [ToClient(Notification(told.method, screened.result["params"]))]

    def _server_answers(self, asked: Asked | None, answer: Answer) -> list[Act]:
        if asked is None:
            return [self._refused("server", "answer", "an answer to nothing that the client asked")]
        acts = answered(self.server, asked, answer, self._may_use)
        if asked.method == "initialize" and answer.result is not None:
            self.version = str(answer.result.get("protocolVersion", ""))[:32]
        if asked.method in _READS and not asked.trusted:
            self._read = True
            if asked.stateless:
                self.server.read_by.add(self._principal)
        return acts

    # words

    def _about(self) -> dict[str, str]:
        return {"server": self.server.name, "principal": self._principal, "session": self._name}

    def _refused(self, side: str, what: str, why: str) -> Note:
        return Note("mcp-refused", {**self._about(), "from": side, "what": what[:128], "why": why})

    def _no(self, id_: Id, code: int, why: str) -> list[Act]:
        return [ToClient(refusal(id_, code, why))]

    def _broken(self, side: str, error: Exception, id_: Id | None) -> list[Act]:
        what = str(error) if isinstance(error, BartizanError) else type(error).__name__
        acts: list[Act] = [self._refused(side, "control", f"a control failed: {what}")]
        if id_ is not None:
            acts.append(ToClient(refusal(id_, INTERNAL_ERROR, "a control of the proxy failed, so this was refused")))
        return acts

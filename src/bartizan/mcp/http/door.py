"""The endpoint: who comes in, under which name, with which session; then the message goes to its conversation.

Numbered as in `answer`: (1) a name of ours and no page of a stranger's, (2) a caller we know, (3) with the right to be
here, (4) a message that is whole, (5) headers that say what the body says, (6) a session of this caller's. What fails
is answered with HTTP's status and JSON-RPC's error, and recorded.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from bartizan.core.errors import BadRequest, Refused, UpstreamFailed
from bartizan.core.sections.mcp import Mcp
from bartizan.gateway.auth import Authenticator, Caller
from bartizan.gateway.call import Answer as Reply
from bartizan.gateway.call import Call, Pieces
from bartizan.gateway.limits.limiter import Limiter
from bartizan.gateway.tokens import TokenKeys, TokensAt
from bartizan.mcp.http.heads import Doors, Head, NotTaken, brings_json, head_of, known, takes
from bartizan.mcp.http.renaming import renamed, restored
from bartizan.mcp.http.streams import Stream, TooOld
from bartizan.mcp.http.talks import Behind, Talk, Talks
from bartizan.mcp.messages import (
    HEADER_MISMATCH,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    UNSUPPORTED_VERSION,
    Answer,
    Id,
    Malformed,
    Message,
    Notification,
    Request,
    read,
    refusal,
    written,
)
from bartizan.mcp.methods import CAPABILITIES_KEY, STATELESS_VERSIONS, VERSION_KEY
from bartizan.mcp.mirrors import argument_disagreement, disagreement
from bartizan.mcp.running import Recording

_JSON = (b"content-type", b"application/json")
_PLAIN = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
_SSE = ((b"content-type", b"text/event-stream"), *_PLAIN, (b"x-accel-buffering", b"no"))
_MISSING_CAPABILITY = -32021
_STATUS = {
    PARSE_ERROR: 400,
    INVALID_REQUEST: 400,
    INVALID_PARAMS: 400,
    HEADER_MISMATCH: 400,
    _MISSING_CAPABILITY: 400,
    UNSUPPORTED_VERSION: 400,
    METHOD_NOT_FOUND: 404,
}
"""HTTP's status for JSON-RPC's errors, since 2026-07-28; before that an error was an answer like any other."""
_DESCRIBED = "/.well-known/oauth-protected-resource"
_PRIMES_SINCE = "2025-11-25"
_ALONE_S = 4.0
"""An answer that comes alone within this time is plain JSON; a later one comes in events, which show that we live."""


@dataclass(frozen=True)
class Terms:
    """On what terms callers are served: who gives the tokens that they may bring, and what counts their calls."""

    issuer: str = ""
    limiter: Limiter | None = None


class Door:
    """The application that answers HTTP requests."""

    def __init__(
        self,
        behind: Mapping[str, Behind],
        doors: Doors,
        auth: Authenticator,
        settings: Mcp,
        recording: Recording,
        terms: Terms | None = None,
    ) -> None:
        """Serve the servers `behind` their paths."""
        terms = terms or Terms()
        self._issuer = terms.issuer if settings.public_url else ""
        self.body_bytes = settings.message_bytes
        self._behind = dict(behind)
        self._doors = doors
        self._auth: dict[str, Authenticator] = dict.fromkeys(behind, auth)
        if isinstance(auth, TokenKeys) and settings.public_url:
            self._auth = {path: TokensAt(auth, f"{settings.public_url}{path}") for path in behind}
        self._settings = settings
        self._recording = recording
        self._clock = next(iter(behind.values())).server.clock
        self._talks = Talks(settings, self._clock, recording, terms.limiter)
        self._tasks: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve for as long as the block lasts, then end every session."""
        reaper = asyncio.create_task(self._talks.keep())
        try:
            yield
        finally:
            reaper.cancel()
            await self.leave()

    async def leave(self) -> None:
        """End every session: streams end with it, so that nobody waits for them."""
        await self._talks.close()

    async def answer(self, call: Call) -> Reply:
        """Return the answer to one request."""
        behind = self._behind.get(call.path)
        if call.path == "/healthz" and call.method in ("GET", "HEAD"):
            return Reply(200, [_JSON], b'{"status":"ok"}')
        try:
            self._doors.check(call)  # (1)
            if call.method == "GET" and (described := self._described(call.path)):
                return Reply(200, [_JSON, *_PLAIN], described)
            if behind is None:
                raise NotTaken(404, f"nothing is served at {call.path[:80]!r}")
            caller = self._auth[call.path].identify(call.headers)  # (2)
            if denied := _denied(caller, call):  # (3)
                raise NotTaken(403, denied)
            match call.method:
                case "POST":
                    return await self._post(behind, caller, call)
                case "GET":
                    return self._get(behind, caller, call)
                case "DELETE":
                    return await self._delete(behind, caller, call)
                case _:
                    return said_no(405, "expected POST, GET or DELETE", (b"allow", b"POST, GET, DELETE"))
        except Refused as error:
            self._note(call, behind, str(error))
            return said_no(401, str(error), (b"www-authenticate", self._challenge(call.path)))
        except NotTaken as error:
            self._note(call, behind, str(error))
            return said_no(error.status, str(error), code=error.code)

    def _challenge(self, path: str) -> bytes:
        """Return what a caller without a key is told: to bring one, and where tokens are had (RFC 9728, 5.1)."""
        if not self._issuer:
            return b"Bearer"
        return f'Bearer resource_metadata="{self._settings.public_url}{_DESCRIBED}{path}"'.encode()

    def _described(self, path: str) -> bytes:
        """Return what an endpoint says of itself to clients that look for its authorization server, or nothing."""
        served = path.removeprefix(_DESCRIBED)
        if not self._issuer or served == path or served not in self._behind:
            return b""
        about = {"resource": f"{self._settings.public_url}{served}", "authorization_servers": [self._issuer]}
        return json.dumps({**about, "bearer_methods_supported": ["header"]}).encode()

    # one message

    async def _post(self, behind: Behind, caller: Caller, call: Call) -> Reply:
        takes(call, "application/json", "text/event-stream")
        brings_json(call)
        head = head_of(call)
        try:
            message = read(call.body, self.body_bytes)  # (4)
        except Malformed as error:
            self._note(call, behind, str(error))
            return _no(400, refusal(error.id, error.code, str(error)))
        try:
            if head.stateless or _speaks_for_itself(message):
                return await self._alone(behind, caller, call, head, message)
            known(head)
            return await self._in_session(behind, caller, call, head, message)
        except _Contradiction as error:
            self._note(call, behind, str(error))
            id_ = message.id if isinstance(message, Request) else None
            return _no(400, refusal(id_, error.code, str(error), error.data))
        except UpstreamFailed as error:
            self._note(call, behind, str(error))
            return _no(502, refusal(getattr(message, "id", None), INTERNAL_ERROR, str(error)))

    async def _alone(self, behind: Behind, caller: Caller, call: Call, head: Head, message: Message) -> Reply:
        """Serve a request that stands for itself (2026-07-28)."""
        if isinstance(message, Notification):  # a client has nothing to say here but what closing its stream says
            known(head)
            return Reply(202, [])
        if not isinstance(message, Request):
            raise _Contradiction(INVALID_REQUEST, "a client does not answer requests in this version")
        _agrees(head, message)  # (5)
        if message.method == "tools/call":
            content = behind.server.catalogue.pins.approved(behind.server.name, _own_name(behind, message)) or {}
            if why := argument_disagreement(content.get("inputSchema"), message.params.get("arguments"), head.mirrors):
                raise _Contradiction(HEADER_MISMATCH, why)
        talk = await self._talks.shared(behind, caller)  # (6)
        inner = renamed(message, talk.next_id())
        stream = talk.streams.begin(inner, lambda said: restored(said, message))
        await talk.conversation.client_says(inner, len(call.body))
        if (answer := await stream.only_answer(_ALONE_S)) is not None:
            status = _STATUS.get(answer.error.get("code", 0), 200) if answer.error else 200
            return Reply(status, [_JSON, *_PLAIN], written(answer))
        return self._events(talk, stream, 0, on_leaving=inner.id)

    async def _in_session(self, behind: Behind, caller: Caller, call: Call, head: Head, message: Message) -> Reply:
        """Serve a message of a session (up to 2025-11-25)."""
        if isinstance(message, Request | Notification):  # (5)
            _mirrors(head, message, demanded=False)
        if isinstance(message, Request) and message.method == "initialize":
            if head.session:
                raise NotTaken(400, "a session is initialized once")
            return await self._initialize(behind, caller, call, message)
        talk = self._found(behind, caller, head)  # (6)
        if not isinstance(message, Request):
            await talk.conversation.client_says(message, len(call.body))
            return Reply(202, [])
        if talk.streams.is_open(message.id):
            raise _Contradiction(INVALID_REQUEST, "a request with this id is still under way")
        stream = talk.streams.begin(message)
        await talk.conversation.client_says(message, len(call.body))
        if (answer := await stream.only_answer(_ALONE_S)) is not None:
            talk.streams.forget(stream)
            return Reply(200, [_JSON, *_PLAIN], written(answer))
        return self._events(talk, stream, 0)

    async def _initialize(self, behind: Behind, caller: Caller, call: Call, message: Request) -> Reply:
        id_, talk = await self._talks.begin(behind, caller)
        stream = talk.streams.begin(message)
        try:
            await talk.conversation.client_says(message, len(call.body))
            answer = await stream.answer(self._settings.call_timeout_s + 1)
        except BaseException:
            await self._talks.end(talk, "it was not begun")
            raise
        if answer is None or answer.error is not None:
            await self._talks.end(talk, "it was not begun")
            return Reply(200, [_JSON, *_PLAIN], written(answer or refusal(message.id, INTERNAL_ERROR, "no answer")))
        talk.streams.forget(stream)
        if talk.session.version >= _PRIMES_SINCE:
            talk.streams.prime()
        return Reply(200, [_JSON, *_PLAIN, (b"mcp-session-id", id_.encode())], written(answer))

    # streams and the end

    def _get(self, behind: Behind, caller: Caller, call: Call) -> Reply:
        takes(call, "text/event-stream")
        head = head_of(call)
        if head.stateless or not head.session:
            return said_no(405, "without a session there is no stream", (b"allow", b"POST"))
        known(head)
        talk = self._found(behind, caller, head)
        if not head.last_event:
            return self._events(talk, talk.streams.standing, talk.streams.standing.sent)
        try:
            stream, after = talk.streams.find(head.last_event)
            stream.check(after)
        except TooOld as error:
            raise NotTaken(400, str(error)) from None
        return self._events(talk, stream, after)

    async def _delete(self, behind: Behind, caller: Caller, call: Call) -> Reply:
        head = head_of(call)
        if head.stateless or not head.session:
            return said_no(405, "without a session there is nothing to end", (b"allow", b"POST"))
        await self._talks.end(self._found(behind, caller, head), "the client ended it")
        return Reply(204, [])

    def _found(self, behind: Behind, caller: Caller, head: Head) -> Talk:
        if not head.session:
            raise NotTaken(400, "Mcp-Session-Id: expected the one that initialize was answered with")
        talk = self._talks.find(head.session, behind, caller)
        if head.version and talk.session.version and head.version != talk.session.version:
            raise NotTaken(400, f"MCP-Protocol-Version {head.version}: this session speaks {talk.session.version}")
        return talk

    def _events(self, talk: Talk, stream: Stream, after: int, on_leaving: Id | None = None) -> Reply:
        """Answer with a stream. Leaving it gives `on_leaving` up: without a session that is how one cancels."""

        def abandon() -> None:
            if on_leaving is not None and not stream.done:
                task = asyncio.create_task(talk.conversation.abandon(on_leaving))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                talk.streams.drop(on_leaving)

        async def pieces() -> AsyncGenerator[bytes, None]:
            try:
                async with contextlib.aclosing(stream.events(after)) as events:
                    async for piece in events:
                        yield piece
            finally:
                abandon()

        return Reply(200, [*_SSE], pieces=Pieces(pieces(), abandon))

    def _note(self, call: Call, behind: Behind | None, why: str) -> None:
        server = behind.server.name if behind else ""
        self._recording.enqueue(
            "mcp-refused", {"server": server, "from": "client", "what": f"{call.method} {call.path[:80]}", "why": why}
        )


class _Contradiction(BadRequest):
    """A message whose headers, params or place do not go together."""

    def __init__(self, code: int, what: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(what)
        self.code = code
        self.data = data


def _denied(caller: Caller, call: Call) -> str:
    if caller.admin_only:
        return "admin keys may not talk to servers"
    if caller.canary:
        return "this key is for nobody's use"
    return caller.grant.denies_place(call.path, call.address)


def _speaks_for_itself(message: Message) -> bool:
    meta = message.params.get("_meta") if isinstance(message, Request) else None
    return isinstance(meta, dict) and VERSION_KEY in meta


def _agrees(head: Head, asked: Request) -> None:
    """Raise _Contradiction unless a request says of itself what 2026-07-28 demands, and its headers say the same."""
    meta = asked.params.get("_meta")
    missing = [key for key in (VERSION_KEY, CAPABILITIES_KEY) if not isinstance(meta, dict) or key not in meta]
    if missing or not isinstance(meta, dict):
        raise _Contradiction(INVALID_PARAMS, f"params._meta: expected {' and '.join(missing)}")
    version = meta[VERSION_KEY]
    if version != head.version:
        raise _Contradiction(HEADER_MISMATCH, "mcp-protocol-version is not the version of the body")
    _mirrors(head, asked, demanded=True)
    if version not in STATELESS_VERSIONS:
        data = {"supported": list(STATELESS_VERSIONS), "requested": str(version)[:80]}
        raise _Contradiction(UNSUPPORTED_VERSION, "Unsupported protocol version", data)


def _mirrors(head: Head, message: Request | Notification, *, demanded: bool) -> None:
    if why := disagreement(message.method, message.params, head.mirrors, demanded=demanded):
        raise _Contradiction(HEADER_MISMATCH, why)


def _own_name(behind: Behind, asked: Request) -> str:
    return behind.server.own_name(str(asked.params.get("name", "")))


def said_no(status: int, why: str, *headers: tuple[bytes, bytes], code: int = INVALID_REQUEST) -> Reply:
    """Return an error that belongs to no request."""
    return _no(status, refusal(None, code, why), *headers)


def _no(status: int, said: Answer, *headers: tuple[bytes, bytes]) -> Reply:
    return Reply(status, [_JSON, *_PLAIN, *headers], written(said))

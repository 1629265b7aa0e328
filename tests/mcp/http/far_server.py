"""A small MCP server over HTTP that answers in every way that a real one may, and keeps what it was sent."""

import asyncio
import contextlib
import json

from bartizan.gateway.call import Answer, Pieces
from bartizan.gateway.server import listen, serving

TOOLS = [
    {"name": name, "description": "Does what it says.", "inputSchema": {"type": "object"}}
    for name in ("plain", "events", "pause", "broken", "never", "silent", "asks", "moved", "refuses", "wrong", "text")
]
TOOLS.append(
    {
        "name": "mirrors",
        "description": "Repeats an argument.",
        "inputSchema": {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}},
    }
)


def said(id_, text="done"):
    """Return the answer to a call."""
    return {"jsonrpc": "2.0", "id": id_, "result": {"content": [{"type": "text", "text": text}]}}


def event(message, id_=""):
    """Return a message as an event."""
    return (f"id: {id_}\n" if id_ else "").encode() + b"data: " + json.dumps(message).encode() + b"\n\n"


class FarServer:
    """The server. `sent` holds (method, headers, message) of each request; `challenge` asks for a bearer token."""

    body_bytes = 1 << 20

    def __init__(self, version="2025-11-25", challenge=""):
        self.version, self.challenge = version, challenge
        self.sent, self.sessions, self.left = [], [], []
        self.waits, self.resumes = asyncio.Event(), asyncio.Event()
        self.closed = []

    @contextlib.asynccontextmanager
    async def running(self):
        yield

    async def leave(self):
        self.waits.set()
        self.resumes.set()

    def admits(self, headers):
        return ""

    def refusal(self, path, status, code, message):
        return Answer(status, [], message.encode())

    async def answer(self, call):
        headers = {name.decode(): value.decode() for name, value in call.headers}
        message = json.loads(call.body) if call.body else None
        self.sent.append((call.method, headers, message))
        if self.challenge and headers.get("authorization") != f"Bearer {self.challenge}":
            return Answer(401, [], b"")
        if call.method == "GET":
            return await self._listen(headers)
        if call.method == "DELETE":
            self.left.append(headers["mcp-session-id"])
            return Answer(200, [], b"")
        if "id" not in message or "method" not in message:
            return Answer(202, [])
        return await self._asked(message, headers)

    async def _asked(self, message, headers):
        id_, method = message["id"], message["method"]
        if method == "initialize":
            self.sessions.append(f"far-{len(self.sessions)}")
            result = {"protocolVersion": self.version, "capabilities": {"tools": {}}, "serverInfo": {"name": "far"}}
            return self._json({"jsonrpc": "2.0", "id": id_, "result": result}, ("mcp-session-id", self.sessions[-1]))
        if method == "tools/list":
            return self._json({"jsonrpc": "2.0", "id": id_, "result": {"tools": TOOLS}})
        if method == "ping":
            return self._json({"jsonrpc": "2.0", "id": id_, "result": {}})
        return await getattr(self, f"_{message['params']['name']}", self._plain)(message, headers)

    async def _plain(self, message, headers):
        return self._json(said(message["id"], headers.get("mcp-session-id", "no session")))

    async def _events(self, message, headers):
        told = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "working"}}
        return self._stream(event(told), event(said(message["id"])))

    async def _pause(self, message, headers):
        return self._stream(b"id: 7\ndata: \n\n", b"retry: 10\n\n")

    async def _broken(self, message, headers):
        return self._stream(b": nothing\n\n")

    async def _never(self, message, headers):
        return self._stream(b": nothing\n\n", then=self.waits.wait)

    async def _silent(self, message, headers):
        await self.waits.wait()
        return Answer(500, [])

    async def _asks(self, message, headers):
        asks = {"jsonrpc": "2.0", "id": 1, "method": "sampling/createMessage", "params": {"messages": []}}
        return self._stream(event(asks), event(said(message["id"])))

    async def _moved(self, message, headers):
        return Answer(307, [(b"location", b"http://169.254.169.254/latest")])

    async def _refuses(self, message, headers):
        answer = self._json({"jsonrpc": "2.0", "id": None, "error": {"code": -32602, "message": "no such thing"}})
        answer.status = 400
        return answer

    async def _wrong(self, message, headers):
        return self._json(said(999))

    async def _text(self, message, headers):
        return Answer(200, [(b"content-type", b"text/html")], b"<html>")

    async def _listen(self, headers):
        if headers.get("last-event-id") == "7":
            asked = next(
                sent[2]["id"] for sent in self.sent if sent[2] and sent[2].get("params", {}).get("name") == "pause"
            )
            await self.resumes.wait()
            return self._stream(event(said(asked, "after the pause")))
        if "last-event-id" in headers:
            return Answer(404, [])
        changed = {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}
        return self._stream(event(changed), then=self.waits.wait)

    def _json(self, message, *headers):
        extra = [(name.encode(), value.encode()) for name, value in headers]
        return Answer(200, [(b"content-type", b"application/json"), *extra], json.dumps(message).encode())

    def _stream(self, *pieces, then=None):
        async def flow():
            try:
                for piece in pieces:
                    yield piece
                if then is not None:
                    await then()
            finally:
                self.closed.append(True)

        return Answer(200, [(b"content-type", b"text/event-stream")], pieces=Pieces(flow(), lambda: None))


@contextlib.asynccontextmanager
async def served(app):
    """Yield the URL at which an application answers."""
    listening = listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    async with serving(app, listening, drain_s=0.1):
        yield f"http://127.0.0.1:{port}/mcp"

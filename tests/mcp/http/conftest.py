"""The endpoint in front of a real server over HTTP, asked as a client asks."""

import contextlib
import functools
import json
import tempfile
from pathlib import Path

import pytest
from tests.mcp.http.far_server import TOOLS, FarServer, served
from tests.mcp.standing import ready, server_at

from bartizan.core.errors import Refused
from bartizan.gateway.auth import Caller
from bartizan.gateway.call import Call
from bartizan.gateway.grants import EVERYTHING
from bartizan.mcp.http.credentials import NoCredential
from bartizan.mcp.http.door import Door
from bartizan.mcp.http.far import Far
from bartizan.mcp.http.heads import doors
from bartizan.mcp.http.link import HttpLink
from bartizan.mcp.http.outside import Outside, place
from bartizan.mcp.http.talks import Behind
from bartizan.mcp.methods import CAPABILITIES_KEY, VERSION_KEY


class Records:
    """A recording that keeps what it is given."""

    def __init__(self):
        self.kept = []

    async def record(self, kind, body):
        self.kept.append((kind, body))

    def enqueue(self, kind, body):
        self.kept.append((kind, body))

    def of(self, kind):
        return [body for one, body in self.kept if one == kind]


class Names:
    """Knows callers by a bearer token that is their name; `grants` holds those that have less than all rights."""

    def __init__(self):
        self.grants = {}
        self.special = {}

    def identify(self, headers):
        token = dict(headers).get(b"authorization", b"").removeprefix(b"Bearer ").decode()
        if not token:
            raise Refused("no API key")
        return self.special.get(token) or Caller(token, self.grants.get(token, EVERYTHING))


class Asking:
    """A client that asks the endpoint."""

    def __init__(self, door, name="alice"):
        self.door, self.name, self.session, self.version, self.path = door, name, "", "", "/mcp"

    def headers(self, **more):
        said = {
            "host": "127.0.0.1:1",
            "authorization": f"Bearer {self.name}",
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
            "mcp-session-id": self.session,
            "mcp-protocol-version": self.version,
        }
        said |= {name.replace("_", "-"): value for name, value in more.items()}
        return [(name.encode(), value.encode("latin-1")) for name, value in said.items() if value]

    async def send(self, method="POST", body=b"", path="", **headers):
        return await self.door.answer(Call(method, path or self.path, self.headers(**headers), body, "127.0.0.1"))

    async def say(self, message, **headers):
        return await self.send(body=json.dumps({"jsonrpc": "2.0", **message}).encode(), **headers)

    async def begin(self, version="2025-11-25"):
        asked = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        reply = await self.say({"id": 0, "method": "initialize", "params": asked})
        self.session = dict(reply.headers).get(b"mcp-session-id", b"").decode()
        if not self.session:
            return reply
        self.version = json.loads(reply.body)["result"]["protocolVersion"]
        await self.say({"method": "notifications/initialized"})
        await self.say({"id": "tools", "method": "tools/list"})
        return reply

    async def call(self, tool, id_=1, **arguments):
        return await self.say({"id": id_, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})

    async def alone(self, method, id_=1, headers=(), **params):
        """Ask without a session, as 2026-07-28 does."""
        meta = {VERSION_KEY: "2026-07-28", CAPABILITIES_KEY: {}, **params.pop("meta", {})}
        name = {"mcp_name": params["name"]} if "name" in params else {}
        said = {"mcp_protocol_version": "2026-07-28", "mcp_method": method, **name, **dict(headers)}
        return await self.say({"id": id_, "method": method, "params": {**params, "_meta": meta}}, **said)


class World:
    """Everything that stands: `far` is the server, `door` the endpoint, `records` what was recorded."""

    def __init__(self, far, url, door, records, names, behind):
        self.far, self.url, self.door, self.records = far, url, door, records
        self.names, self.behind = names, behind

    def client(self, name="alice"):
        return Asking(self.door, name)


@functools.cache
def pinned():
    """Return the lock of a server whose tools were listed: judging them anew for each test would take its time."""
    with tempfile.TemporaryDirectory() as folder:
        ready(server_at(Path(folder), "far"), TOOLS)
        return (Path(folder) / "mcp-lock.json").read_bytes()


@contextlib.asynccontextmanager
async def standing(folder, far=None, credential=None, **settings):
    """Yield a world whose pins lie in `folder`."""
    far, records, names = far or FarServer(), Records(), Names()
    (folder / "mcp-lock.json").write_bytes(pinned())
    async with served(far) as url:
        server = server_at(folder, "far", **settings)
        most = server.settings.message_bytes
        way = Far("far", place(url), Outside({"127.0.0.1"}), credential or NoCredential(), timeout_s=5.0)

        def schema(tool):
            return (server.catalogue.pins.approved("far", tool) or {}).get("inputSchema", {})

        behind = Behind(server, lambda: HttpLink(way, schema, most))
        door = Door({"/mcp": behind}, doors("127.0.0.1", (), ("https://app.test",)), names, server.settings, records)
        async with door.running():
            yield World(far, url, door, records, names, behind)
        await way.close()


@pytest.fixture
async def world(tmp_path):
    """A world with the settings as they come."""
    async with standing(tmp_path) as one:
        yield one


def message_of(reply):
    """Return the JSON of a reply."""
    return json.loads(reply.body)


async def events_of(reply, most=100):
    """Return the messages of a stream, and the ids and other lines beside them."""
    messages, marks = [], []
    async for piece in reply.pieces:
        for line in piece.decode().splitlines():
            if line.startswith("data: ") and line != "data: ":
                messages.append(json.loads(line[6:]))
            elif line.startswith(("id:", "retry:")):
                marks.append(line)
        if len(messages) >= most:
            break
    await reply.pieces.close()
    return messages, marks

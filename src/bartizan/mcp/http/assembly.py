"""Builds the endpoint from the settings: each server with its way there, who may come, under which names."""

import contextlib
from collections.abc import AsyncIterator

from msgspec.structs import replace

from bartizan.core.clock import Clock
from bartizan.core.errors import BadSettings
from bartizan.core.sections import Settings
from bartizan.core.sections.mcp import McpServer
from bartizan.gateway.assembly import authenticator
from bartizan.gateway.limits.files import Files, counting
from bartizan.gateway.limits.limiter import Limiter
from bartizan.gateway.tokens import TokenKeys
from bartizan.mcp.assembly import Assembly
from bartizan.mcp.http.door import Door, Terms
from bartizan.mcp.http.heads import doors
from bartizan.mcp.http.talks import Behind
from bartizan.mcp.http.ways import Ways, approved, launched, scanned
from bartizan.mcp.running import Recording


class Endpoint:
    """The endpoint and what it holds open."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Check what can be checked before anybody listens. Raises BadSettings, BadEvidence."""
        entries = settings.mcp.servers
        if not entries:
            raise BadSettings("mcp.servers is empty: expected a server", hint="Write [[mcp.servers]], or give --url.")
        names = [entry.name for entry in entries]
        if len(set(names)) < len(names):
            raise BadSettings(f"mcp.servers: {', '.join(names)}: expected each name once")
        self._settings = settings
        self._entries = entries
        self._auth = authenticator(replace(settings, gateway=replace(settings.gateway, host=settings.mcp.host)), clock)
        self._assembly = Assembly(settings, clock)
        self._files = Files(settings.limits, clock)
        self._clock = clock
        self._ways = Ways(settings, clock)
        self._servers = {entry.name: self._assembly.server(entry.name) for entry in entries}
        self._links = {entry.name: self._ways.to(entry, self._servers[entry.name]) for entry in entries}

    def paths(self) -> dict[str, McpServer]:
        """Return the path of each server; a single one is also at /mcp."""
        every = {f"/{entry.name}/mcp": entry for entry in self._entries}
        return {"/mcp": self._entries[0], **every} if len(self._entries) == 1 else every

    @contextlib.asynccontextmanager
    async def opened(self, recording: Recording) -> AsyncIterator[Door]:
        """Yield the application. Raises Refused when how a server is reached waits for approval."""
        behind: dict[str, Behind] = {}
        try:
            for entry in self._entries:
                server = self._servers[entry.name]
                standing = launched(server, entry, scanned(entry))
                body = {"server": entry.name, "state": standing.state, "why": standing.why}
                await recording.record("mcp-launch", body)
                approved(server, standing)
                behind[entry.name] = Behind(server, self._links[entry.name])
            at = {path: behind[entry.name] for path, entry in self.paths().items()}
            mcp = self._settings.mcp
            fresh = self._auth.refreshing() if isinstance(self._auth, TokenKeys) else contextlib.nullcontext()
            limits, issuer = self._settings.limits, self._settings.tokens.issuer
            limiter = Limiter(limits, self._files, counting(limits, self._clock), self._clock)
            async with fresh, limiter.running():
                terms = Terms(issuer, limiter)
                door = Door(at, doors(mcp.host, mcp.hosts, mcp.origins), self._auth, mcp, recording, terms)
                async with door.running():
                    yield door
        finally:
            await self._ways.close()
            self._assembly.close()

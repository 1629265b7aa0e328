"""Ways to servers, from the settings: a child for each conversation, or connections that all share, and our credential.

Where a server is, or how it is started, is pinned like what it offers (`#launch`).
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bartizan.core import settings as settings_file
from bartizan.core.clock import Clock
from bartizan.core.errors import BadSettings, Refused, UpstreamFailed
from bartizan.core.findings import Finding, Severity
from bartizan.core.sections import Settings
from bartizan.core.sections.mcp import Mcp, McpServer
from bartizan.mcp.child import Child
from bartizan.mcp.http.consent import ConsentToken
from bartizan.mcp.http.credentials import Credential, FixedKey, NoCredential
from bartizan.mcp.http.far import Far
from bartizan.mcp.http.link import HttpLink
from bartizan.mcp.http.oauth import ClientToken, Us
from bartizan.mcp.http.outside import Outside, place
from bartizan.mcp.links import Link
from bartizan.mcp.pins import Standing
from bartizan.mcp.places import inside
from bartizan.mcp.server import Server
from bartizan.supply.agents.mcp_servers import scan_servers


def scanned(entry: McpServer) -> tuple[Finding, ...]:
    """Return what the checks of configurations say of how a server is started or where it is."""
    about = {"url": entry.url} if entry.url else {"command": entry.command[0], "args": list(entry.command[1:])}
    found = scan_servers(json.dumps({"mcpServers": {entry.name: about}}), "settings")
    return found.findings if found is not None else ()


def launched(server: Server, entry: McpServer, findings: tuple[Finding, ...]) -> Standing:
    """Pin where a server is or how it is started. What blocks in a scan of configurations waits for approval."""
    content: dict[str, Any] = {"url": entry.url} if entry.url else {"command": list(entry.command)}
    grave = tuple(one for one in findings if one.severity >= Severity.HIGH)
    return server.catalogue.launched(content, grave)


def approved(server: Server, standing: Standing) -> None:
    """Raise Refused when how a server is reached waits for approval."""
    if not standing.usable:
        raise Refused(
            f"{server.name}: how it is reached {standing.why}",
            hint=f"See `bartizan mcp diff {server.name}`, then `bartizan mcp approve {server.name}`.",
        )


def us(entry: McpServer) -> Us:
    """Return who we are at a server's authorization server; without an id, we register there. Raises BadSettings."""
    what, secret = f"mcp.servers: {entry.name}", ""
    if not entry.client_id and (entry.client_secret_env or entry.client_secret_file):
        raise BadSettings(f"{what}: a client secret needs a client_id")
    if not entry.consent_file or entry.client_secret_env or entry.client_secret_file:
        secret = settings_file.secret(entry.client_secret_env, entry.client_secret_file, f"{what}: client secret")
    return Us(entry.client_id, secret, entry.scope, entry.issuer)


def outside_of(entry: McpServer, settings: Mcp) -> Outside:
    """Return where we may connect to for a server. Raises UpstreamFailed for an address that is none.

    An address of this machine or its network is meant when the operator writes it; a name is only what it resolves to,
    and must resolve to the outside.
    """
    host = place(entry.url).host
    return Outside(({host} if inside(host) else set[str]()) | set(settings.inside_hosts))


class Ways:
    """Makes ways to servers, and holds what the ways to one server share."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Make ways as `settings` say."""
        self._settings = settings
        self._clock = clock
        self._fars: list[Far] = []

    def to(self, entry: McpServer, server: Server) -> Callable[[], Link]:
        """Return what makes a way to a server for one conversation. Raises BadSettings for an entry that is none."""
        if bool(entry.url) == bool(entry.command):
            raise BadSettings(f"mcp.servers: {entry.name}: expected either `url` or `command`")
        most = self._settings.mcp.message_bytes
        if entry.command:
            environment = settings_file.environment_without_secrets(self._settings)
            return lambda: Child(entry.command, environment, most)
        far = self._far(entry)
        self._fars.append(far)

        def schema(tool: str) -> Mapping[str, Any]:
            content = server.catalogue.pins.approved(server.name, tool) or {}
            found = content.get("inputSchema")
            return found if isinstance(found, dict) else {}

        return lambda: HttpLink(far, schema, most)

    async def close(self) -> None:
        """Close what is shared."""
        for far in self._fars:
            await far.close()

    def _far(self, entry: McpServer) -> Far:
        try:
            where, outside = place(entry.url), outside_of(entry, self._settings.mcp)
            credential = self._credential(entry, outside)
            return Far(entry.name, where, outside, credential, timeout_s=self._settings.mcp.call_timeout_s)
        except UpstreamFailed as error:
            raise BadSettings(f"mcp.servers: {entry.name}: {error}") from error

    def _credential(self, entry: McpServer, outside: Outside) -> Credential:
        what = f"mcp.servers: {entry.name}"
        if entry.consent_file:
            return ConsentToken(Path(entry.consent_file), entry.url, us(entry), outside, self._clock)
        if entry.client_id:
            return ClientToken(entry.url, us(entry), outside, self._clock)
        if entry.api_key_env or entry.api_key_file:
            return FixedKey(settings_file.secret(entry.api_key_env, entry.api_key_file, f"{what}: key"))
        return NoCredential()

"""MCP configurations of several clients: what they would start, with which rights."""

import json

import pytest

from bartizan.lab.hostile_agents import SERVERS
from bartizan.supply.agents.mcp_servers import scan_servers, servers_of
from bartizan.supply.base import Package, Verdict

PINNED = {"command": "npx", "args": ["-y", "@playwright/mcp@0.0.41"]}


def scanned(server, key="mcpServers"):
    """Return the result for a configuration with one server."""
    return scan_servers(json.dumps({key: {"it": server}}), "mcp.json")


def rules(server):
    """Return the rules it breaks."""
    return {one.rule for one in scanned(server).findings}


@pytest.mark.parametrize(("name", "server"), SERVERS, ids=lambda one: str(one)[:20])
def test_every_hostile_server_is_blocked(name, server):
    """With a reason that names the entry."""
    result = scanned(server)
    assert result.verdict is Verdict.BLOCK
    assert result.findings[0].where == "mcp.json#it"


@pytest.mark.parametrize("key", ["mcpServers", "servers", "context_servers", "mcp_servers"])
def test_every_client_s_form_is_read(key):
    """Claude and Cursor, VS Code, Zed, others; also nested under `mcp`."""
    assert scanned(PINNED, key).verdict is Verdict.CLEAN
    assert servers_of({"mcp": {key: {"it": PINNED}}}) == {"it": PINNED}


@pytest.mark.parametrize(
    ("server", "package"),
    [
        (PINNED, Package("npm", "@playwright/mcp", "0.0.41")),
        ({"command": "npx", "args": ["-y", "mcp-remote"]}, Package("npm", "mcp-remote", "")),
        ({"command": "npx", "args": ["mcp-remote@latest"]}, Package("npm", "mcp-remote", "")),
        ({"command": "uvx", "args": ["mcp-server-git==1.2.3"]}, Package("PyPI", "mcp-server-git", "1.2.3")),
        ({"command": "uvx", "args": ["--from", "mcp-tools[all]@1.0.0", "run"]}, Package("PyPI", "mcp-tools", "1.0.0")),
        ({"command": "uv", "args": ["tool", "run", "mcp-x"]}, Package("PyPI", "mcp-x", "")),
        ({"command": "cmd", "args": ["/c", "npx", "-y", "mcp-x@1.0.0"]}, Package("npm", "mcp-x", "1.0.0")),
        ({"command": "npx -y mcp-x@1.0.0"}, Package("npm", "mcp-x", "1.0.0")),
    ],
)
def test_which_package_would_be_fetched(server, package):
    """And whether its version is fixed."""
    result = scanned(server)
    assert result.packages == (package,)
    assert ("unpinned-server" in {one.rule for one in result.findings}) is (not package.version)


@pytest.mark.parametrize(
    ("server", "rule"),
    [
        ({"command": "bash", "args": ["start.sh"]}, "shell-server"),
        ({"command": "uvx", "args": ["--from", "git+https://a.invalid/x", "x"]}, "moving-source"),
        ({"command": "npx", "args": ["-y", "fs@1.0.0", "/"]}, "over-broad"),
        ({"command": "x", "alwaysAllow": ["read"]}, "auto-approved"),
        ({"command": "x", "env": {"K": "sk-" + "a" * 20}}, "secret-in-config"),
        ({"command": "docker", "args": ["run", "-i", "mcp/fetch"]}, "unpinned-server"),
    ],
)
def test_what_a_person_should_see(server, rule):
    """Review, not block."""
    assert rule in rules(server)
    assert scanned(server).verdict is Verdict.REVIEW


@pytest.mark.parametrize(
    "text", ["{}", "[]", '{"servers": ["command"]}', '{"mcpServers": {}}', "{ command", '{"command": "x"}']
)
def test_other_json_is_none_of_this(text):
    """It is judged elsewhere."""
    assert scan_servers(text, "x.json") is None


def test_an_address_that_is_none_is_blocked():
    """Found by fuzzing: half an IPv6 address, of which readers differ where it leads."""
    text = json.dumps({"mcpServers": {"a": {"url": "http://06.0=1[:8765/mcp"}}})
    assert scan_servers(text, ".mcp.json").verdict is Verdict.BLOCK

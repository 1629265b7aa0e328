"""`bartizan mcp run -- COMMAND`: starts an MCP server as a child and guards what passes. Standard output is MCP's."""

import argparse
import asyncio
import json
import re
import sys
from collections.abc import Sequence

from bartizan.cli.base import CANNOT, OK, Command, add_config, configured
from bartizan.core.clock import Clock, SystemClock
from bartizan.core.errors import BadSettings, Refused
from bartizan.core.findings import Severity
from bartizan.core.sections import Settings
from bartizan.core.settings import environment_without_secrets
from bartizan.gateway.evidence import Recorder
from bartizan.ledger.log import Ledger
from bartizan.mcp.assembly import Assembly
from bartizan.mcp.pins import Standing
from bartizan.mcp.server import Server
from bartizan.mcp.session import Session
from bartizan.mcp.stdio import StdioProxy, lines_of, writer_of
from bartizan.supply.agents.mcp_servers import scan_servers

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_RUNNERS = re.compile(r"(?:.*/)?(?:npx|bunx|uvx|uv|pipx|npm|pnpm|yarn|node|python[\d.]*|docker|podman|sh|bash|deno)$")
_PLAIN = frozenset(("run", "exec", "dlx", "tool", "x"))


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument("--name", help="what the server is called in pins and records (default: from the command)")
    parser.add_argument("command", nargs="+", metavar="COMMAND", help="the server, after --")


def _run(args: argparse.Namespace) -> int:
    settings, clock = configured(args), SystemClock()
    command = args.command[1:] if args.command[0] == "--" else args.command
    name = args.name or name_of(command)
    if not _NAME.fullmatch(name):
        raise BadSettings(f"--name = {name!r}: expected up to 32 of a-z 0-9 -")
    assembly = Assembly(settings, clock)
    try:
        code = asyncio.run(_serve(settings, clock, assembly.server(name), command))
    finally:
        assembly.close()
    return OK if code == 0 else CANNOT


async def _serve(settings: Settings, clock: Clock, server: Server, command: Sequence[str]) -> int:
    recorder = Recorder(Ledger.configured(settings.ledger, clock), clock, settings.ledger.checkpoint_every_s)
    try:
        launch = _launched(server, command)
        await recorder.record("mcp-launch", {"server": server.name, "state": launch.state, "why": launch.why})
        if not launch.usable:
            raise Refused(
                f"{server.name}: how it is started {launch.why}",
                hint=f"See `bartizan mcp diff {server.name}`, then `bartizan mcp approve {server.name}`.",
            )
        read_line = lines_of(sys.stdin.buffer, settings.mcp.message_bytes)
        proxy = StdioProxy(Session(server), recorder, read_line, writer_of(sys.stdout.buffer))
        return await proxy.run(command, environment_without_secrets(settings))
    finally:
        await recorder.close()


def _launched(server: Server, command: Sequence[str]) -> Standing:
    """Pin how the server is started. What blocks in a scan of configurations waits for approval; the rest is said."""
    entry = {"command": command[0], "args": list(command[1:])}
    scanned = scan_servers(json.dumps({"mcpServers": {server.name: entry}}), "command")
    findings = scanned.findings if scanned is not None else ()
    for one in findings:
        print(f"bartizan: {one.severity.name.lower()}: {one.rule}: {one.why}", file=sys.stderr)
    grave = tuple(one for one in findings if one.severity >= Severity.HIGH)
    return server.catalogue.launched({"command": list(command)}, grave)


def name_of(command: Sequence[str]) -> str:
    """Return a name for a server out of its command: the package or program that is run."""
    for word in command:
        if word.startswith("-") or word in _PLAIN or _RUNNERS.match(word):
            continue
        last = re.split(r"[/\\]", re.sub(r"(?<=.)@.*$|[=<>~].*$", "", word))[-1]
        found = re.sub(r"[^a-z0-9]+", "-", last.lower().rsplit(".", 1)[0]).strip("-")[:32]
        if found:
            return found
    return "server"


COMMAND = Command("run", "Start an MCP server over standard input and output, guarded.", _arguments, _run)

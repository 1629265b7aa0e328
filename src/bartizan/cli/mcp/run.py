"""`bartizan mcp run`: stands before one MCP server, a child or an address, for a client over pipes.

Standard output is MCP's alone.
"""

import argparse
import asyncio
import re
import sys
from collections.abc import Sequence
from urllib.parse import urlsplit

from bartizan.cli.base import CANNOT, OK, Command, add_config, configured
from bartizan.core.clock import Clock, SystemClock
from bartizan.core.errors import BadSettings
from bartizan.core.sections import Settings
from bartizan.core.sections.mcp import McpServer
from bartizan.detect.encoder import one_thread
from bartizan.gateway.evidence import Recorder
from bartizan.gateway.limits.files import Files, counting
from bartizan.gateway.limits.limiter import Limiter
from bartizan.ledger.log import Ledger
from bartizan.mcp.assembly import Assembly
from bartizan.mcp.http.ways import Ways, approved, launched, scanned
from bartizan.mcp.limits import CallLimits
from bartizan.mcp.server import Server
from bartizan.mcp.session import Session
from bartizan.mcp.stdio import StdioProxy, lines_of, writer_of

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_RUNNERS = re.compile(r"(?:.*/)?(?:npx|bunx|uvx|uv|pipx|npm|pnpm|yarn|node|python[\d.]*|docker|podman|sh|bash|deno)$")
_PLAIN = frozenset(("run", "exec", "dlx", "tool", "x"))


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    add_server(parser)
    parser.add_argument(
        "--caller",
        default="anonymous",
        help="whom limits (key:CALLER), rules and records take the client for (default: %(default)s)",
    )


def add_server(parser: argparse.ArgumentParser) -> None:
    """Add what names one server: where it is, or what starts it."""
    parser.add_argument("--name", help="what the server is called in pins and records (default: from the rest)")
    parser.add_argument("--url", help="where the server is, over Streamable HTTP")
    parser.add_argument("command", nargs="*", metavar="COMMAND", help="or what starts it, after --")


def one_server(args: argparse.Namespace, known: Sequence[McpServer]) -> McpServer:
    """Return the server that the arguments name, or the `known` one of that name. Raises BadSettings for none."""
    command = tuple(args.command[1:] if args.command[:1] == ["--"] else args.command)
    if not args.url and not command and args.name:
        for one in known:
            if one.name == args.name:
                return one
        raise BadSettings(f"--name = {args.name!r}: expected a name of mcp.servers, or --url, or a command after --")
    if bool(args.url) == bool(command):
        raise BadSettings("expected either --url or a command after --")
    name = args.name or (name_of(command) if command else name_at(args.url))
    if not _NAME.fullmatch(name):
        raise BadSettings(f"--name = {name!r}: expected up to 32 of a-z 0-9 -")
    return McpServer(name=name, url=args.url or "", command=command)


def tell(entry: McpServer) -> None:
    """Say on standard error what the checks of configurations say of a server."""
    for one in scanned(entry):
        print(f"bartizan: {one.severity.name.lower()}: {one.rule}: {one.why}", file=sys.stderr)


def _run(args: argparse.Namespace) -> int:
    one_thread()
    settings, clock = configured(args), SystemClock()
    entry = one_server(args, settings.mcp.servers)
    assembly = Assembly(settings, clock)
    try:
        code = asyncio.run(_serve(settings, clock, assembly.server(entry.name), entry, args.caller))
    finally:
        assembly.close()
    return OK if code == 0 else CANNOT


async def _serve(settings: Settings, clock: Clock, server: Server, entry: McpServer, caller: str) -> int:
    limits = settings.limits
    limiter = Limiter(limits, Files(limits, clock), counting(limits, clock), clock)
    recorder = Recorder(Ledger.configured(settings.ledger, clock), clock, settings.ledger.checkpoint_every_s)
    ways = Ways(settings, clock)
    try:
        tell(entry)
        launch = launched(server, entry, scanned(entry))
        await recorder.record("mcp-launch", {"server": server.name, "state": launch.state, "why": launch.why})
        approved(server, launch)
        read_line = lines_of(sys.stdin.buffer, settings.mcp.message_bytes)
        link = ways.to(entry, server)()
        counted = CallLimits(limiter, (f"key:{caller}",), server.name)
        session, write = Session(server, caller), writer_of(sys.stdout.buffer)
        async with limiter.running():
            return await StdioProxy(session, recorder, link, read_line, write, counted).run()
    finally:
        await ways.close()
        await recorder.close()


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


def name_at(url: str) -> str:
    """Return a name for the server at a URL: its host's."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    return re.sub(r"[^a-z0-9]+", "-", host.lower().removeprefix("mcp.")).strip("-")[:32] or "server"


COMMAND = Command("run", "Stand before one MCP server, for a client on standard input and output.", _arguments, _run)

"""`bartizan mcp serve`: an HTTP endpoint in front of MCP servers, for clients that speak Streamable HTTP."""

import argparse
import logging
import socket

from msgspec.structs import replace

from bartizan.cli.base import OK, Command, add_config, configured, named_port
from bartizan.cli.mcp.run import add_server, one_server, tell
from bartizan.core.clock import SystemClock
from bartizan.core.sections import Settings
from bartizan.detect.encoder import one_thread
from bartizan.gateway import server
from bartizan.gateway.requests import bounds_of
from bartizan.ledger.log import Ledger
from bartizan.ledger.tables.opening import where
from bartizan.mcp.http.app import McpApp


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument("--host", help="address to listen on (mcp.host)")
    parser.add_argument("--port", type=int, help="port to listen on, 0 picks a free one (mcp.port)")
    add_server(parser)


def _run(args: argparse.Namespace) -> int:
    settings, clock = _overridden(configured(args), args), SystemClock()
    one_thread()
    app = McpApp(settings, lambda: Ledger.configured(settings.ledger, clock), clock)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for entry in settings.mcp.servers:
        tell(entry)
    listening = server.listen(settings.mcp.host, settings.mcp.port)
    gateway = settings.gateway
    bounds = bounds_of(gateway)
    server.run(app, listening, lambda: _announce(app, settings, listening), bounds=bounds, drain_s=gateway.drain_s)
    print("bartizan: stopped")
    return OK


def _announce(app: McpApp, settings: Settings, listening: socket.socket) -> None:
    for path, entry in app.endpoint.paths().items():
        behind = entry.url or " ".join(entry.command)
        print(f"bartizan: http://{server.address(listening)}{path} in front of {behind}", flush=True)
    print(f"bartizan: listening (ledger: {where(settings.ledger)})", flush=True)


def _overridden(settings: Settings, args: argparse.Namespace) -> Settings:
    mcp = settings.mcp
    if args.host is not None:
        mcp = replace(mcp, host=args.host)
    if args.port is not None:
        mcp = replace(mcp, port=named_port(args.port))
    if args.url or args.command or args.name:
        mcp = replace(mcp, servers=(one_server(args, mcp.servers),))
    return replace(settings, mcp=mcp)


COMMAND = Command("serve", "Serve MCP servers over HTTP, guarded.", _arguments, _run)

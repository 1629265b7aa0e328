"""`bartizan mcp pins`: what each server offers, what is approved and what waits."""

import argparse
import datetime
import json
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bartizan.cli.base import FAILED, OK, Command, add_config, configured
from bartizan.core.clock import SystemClock
from bartizan.core.display import visible
from bartizan.mcp.pins import Pin, Pins


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument("server", nargs="?", help="only this server")
    parser.add_argument("--json", action="store_true", help="the whole content as JSON")


def _run(args: argparse.Namespace) -> int:
    lock = Pins(Path(configured(args).mcp.lock_file), SystemClock()).read()
    servers = {name: pins for name, pins in lock.servers.items() if args.server in (None, name)}
    if args.json:
        print(json.dumps(msgspec.to_builtins(servers), indent=2))
    else:
        _show(servers)
    return FAILED if any(pin.waiting for pins in servers.values() for pin in pins.values()) else OK


def _show(servers: dict[str, dict[str, Pin]]) -> None:
    if not servers:
        print("nothing is pinned yet: a server's tools are when a client first lists them through `bartizan mcp`")
        return
    table = Table(pad_edge=False)
    for column in ("server", "what", "state", "by", "since (UTC)", "sha256", "doubts"):
        table.add_column(column, overflow="fold")
    waiting = 0
    for server, pins in sorted(servers.items()):
        for name, pin in sorted(pins.items()):
            item = pin.waiting or pin.approved
            if item is None:
                continue
            waiting += pin.waiting is not None
            state = "approved" if pin.waiting is None else "changed" if pin.approved else "new"
            since = datetime.datetime.fromtimestamp(item.when_ns / 1e9, datetime.UTC).strftime("%Y-%m-%d %H:%M")
            doubts = ", ".join(dict.fromkeys(doubt.rule for doubt in pin.doubts))
            row = (server, name, state, item.by, since, item.sha256[:12], doubts)
            table.add_row(*(Text(visible(cell)) for cell in row))
    Console().print(table)
    if waiting:
        print(f"{waiting} wait: bartizan mcp diff SERVER [NAME …], then bartizan mcp approve SERVER [NAME …]")


COMMAND = Command("pins", "Show what each server offers: approved, new, changed.", _arguments, _run)
"""Exit code 1 when something waits for approval."""

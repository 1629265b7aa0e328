"""`bartizan dashboard`: shows the ledger in a browser, on this machine only."""

import argparse
import contextlib
import socket
from pathlib import Path

import uvicorn

from bartizan.cli.base import OK, Command, add_config, configured
from bartizan.core.clock import SystemClock
from bartizan.core.errors import BadSettings
from bartizan.dashboard.app import Dashboard
from bartizan.ledger.log import Ledger

PORT = 8788


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument("--port", type=int, default=PORT, help=f"loopback port, 0 picks a free one (default {PORT})")


def _run(args: argparse.Namespace) -> int:
    kept = configured(args).ledger
    ledger = Ledger.open(
        Path(kept.directory), origin=kept.origin, clock=SystemClock(), checkpoint_file=Path(kept.checkpoint_file)
    )
    with contextlib.closing(ledger), contextlib.closing(_listening(args.port)) as listening:
        print(f"bartizan: dashboard on http://127.0.0.1:{listening.getsockname()[1]}/ (Ctrl-C stops it)", flush=True)
        config = uvicorn.Config(Dashboard(ledger).app(), log_level="warning", access_log=False, server_header=False)
        uvicorn.Server(config).run(sockets=[listening])
    return OK


def _listening(port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise BadSettings(f"--port = {port}: expected 0 to 65535")
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise BadSettings(
            f"cannot listen on 127.0.0.1:{port}: {error.strerror}", hint="Choose another --port."
        ) from error


COMMAND = Command("dashboard", "Show the ledger in a browser, on this machine only.", _arguments, _run)

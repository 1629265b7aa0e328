"""`bartizan dashboard`: the pages, for people who may sign in; on this machine only unless told otherwise."""

import argparse
import contextlib
import socket
from pathlib import Path

import uvicorn
from msgspec.structs import replace

from bartizan.cli.base import OK, Command, add_config, configured, named_port
from bartizan.cli.panels import panels
from bartizan.core.clock import Clock, SystemClock
from bartizan.core.errors import BadSettings
from bartizan.core.sections import Settings
from bartizan.core.settings import secret
from bartizan.dashboard.app import Dashboard
from bartizan.dashboard.oidc import Provider
from bartizan.dashboard.people import People
from bartizan.dashboard.single_sign_on import SingleSignOn
from bartizan.ledger.log import Ledger


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument("--port", type=int, help="port, 0 picks a free one (default: dashboard.port)")


def _run(args: argparse.Namespace) -> int:
    settings = configured(args)
    if args.port is not None:
        settings = replace(settings, dashboard=replace(settings.dashboard, port=named_port(args.port)))
    edge, clock = settings.dashboard, SystemClock()
    people = People(Path(edge.people_file), clock)
    ledger = Ledger.configured(settings.ledger, clock)
    with contextlib.closing(ledger), contextlib.closing(_listening(edge.host, edge.port)) as listening:
        dashboard = Dashboard(ledger, people, clock, panels(settings, clock), settings, sso=_sso(settings, clock))
        base = f"http://{edge.names[0]}:{listening.getsockname()[1]}/"
        print(f"bartizan: dashboard on {base} (Ctrl-C stops it)", flush=True)
        if dashboard.setup_token:
            print(
                f"bartizan: nobody may sign in yet; the first admin: {base}setup?token={dashboard.setup_token}",
                flush=True,
            )
        config = uvicorn.Config(dashboard.app(), log_level="warning", access_log=False, server_header=False)
        uvicorn.Server(config).run(sockets=[listening])
    return OK


def _sso(settings: Settings, clock: Clock) -> SingleSignOn | None:
    """Return the sign-in at the identity provider, if one is named. Raises BadSettings."""
    section = settings.sso
    if not section.issuer:
        return None
    named = section.client_secret_env or section.client_secret_file
    held = secret(section.client_secret_env, section.client_secret_file, "sso.client_secret_env") if named else ""
    return SingleSignOn(Provider(section, held, clock), clock)


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise BadSettings(
            f"cannot listen on {host}:{port}: {error.strerror}", hint="Choose another --port or dashboard.host."
        ) from error


COMMAND = Command("dashboard", "Serve the pages: traffic, approvals, keys, runs, evidence.", _arguments, _run)

"""`bartizan serve`: starts the gateway and says where it listens. Stops on SIGTERM after running answers are done."""

import argparse
import socket

from msgspec.structs import replace

from bartizan.cli.base import OK, Command, add_config, configured, named_port
from bartizan.cli.detector_model import input_screen
from bartizan.core.clock import SystemClock
from bartizan.core.display import visible
from bartizan.core.sections import Settings
from bartizan.core.sections.gateway import Upstream
from bartizan.detect.allowlist import Allowlist
from bartizan.detect.encoder import one_thread
from bartizan.gateway import assembly, logs, server
from bartizan.gateway.app import GatewayApp
from bartizan.gateway.requests import bounds_of
from bartizan.ledger.log import Ledger
from bartizan.ledger.tables.opening import where


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument("--host", help="address to listen on (gateway.host)")
    parser.add_argument("--port", type=int, help="port to listen on, 0 picks a free one (gateway.port)")
    parser.add_argument("--upstream", metavar="URL", help="base URL of the one model server (gateway.upstreams)")
    parser.add_argument(
        "--input-screen",
        choices=("enforce", "monitor", "off"),
        help="what the input screen does (gateway.input_screen)",
    )


def _run(args: argparse.Namespace) -> int:
    settings = _overridden(configured(args), args)
    clock = SystemClock()
    one_thread()
    app = GatewayApp(
        assembly.gate_opener(
            settings, input_screen(settings.detect, clock), lambda: Ledger.configured(settings.ledger, clock), clock
        ),
        body_bytes=settings.gateway.body_bytes,
    )
    logs.set_up(settings.gateway.log_format, requests=settings.gateway.request_log)
    listening = server.listen(settings.gateway.host, settings.gateway.port)
    gateway = settings.gateway
    bounds = bounds_of(gateway)
    server.run(app, listening, lambda: _announce(settings, listening), bounds=bounds, drain_s=gateway.drain_s)
    print("bartizan: stopped")
    return OK


def _announce(settings: Settings, listening: socket.socket) -> None:
    first, *others = settings.gateway.upstreams
    more = f" and {len(others)} more" if others else ""
    print(
        f"bartizan: listening on http://{server.address(listening)}/v1 in front of {first.url}{more} "
        f"(input screen: {settings.gateway.input_screen}, ledger: {where(settings.ledger)})",
        flush=True,
    )
    running = Allowlist(settings.detect.allow, SystemClock()).running()
    for one in settings.detect.allow:
        if one not in running:
            words = visible(one.phrase[:60])
            print(f"bartizan: detect.allow: {words!r} counts no more: its last day was {one.until}", flush=True)


def _overridden(settings: Settings, args: argparse.Namespace) -> Settings:
    gateway = settings.gateway
    if args.host is not None:
        gateway = replace(gateway, host=args.host)
    if args.port is not None:
        gateway = replace(gateway, port=named_port(args.port))
    if args.upstream is not None:
        gateway = replace(gateway, upstreams=(Upstream(url=args.upstream),))
    if args.input_screen is not None:
        gateway = replace(gateway, input_screen=args.input_screen)
    return replace(settings, gateway=gateway)


COMMAND = Command("serve", "Start the gateway in front of a model server.", _arguments, _run)

"""`bartizan mcp diff | approve | forget`: a person looks at what changed, and says what may be used."""

import argparse
import getpass
from pathlib import Path

from bartizan.cli.base import FAILED, OK, Command, add_config, configured
from bartizan.cli.noting import note
from bartizan.core.clock import SystemClock
from bartizan.core.display import visible
from bartizan.core.errors import BadArtifact
from bartizan.core.sections import Settings
from bartizan.mcp.pins import Pins, difference


def _of_server(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument("server", help="the server's name")


def _of_names(parser: argparse.ArgumentParser) -> None:
    _of_server(parser)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME[@HASH]",
        help="these (default: all that wait; to approve: all that no check doubts)",
    )


def _pins(settings: Settings) -> Pins:
    return Pins(Path(settings.mcp.lock_file), SystemClock())


def _diff(args: argparse.Namespace) -> int:
    pins = _pins(configured(args)).pins(args.server)
    if not pins:
        raise BadArtifact(f"nothing is known of a server called {args.server!r}", hint="`bartizan mcp pins` lists all.")
    for name in args.names:
        if name not in pins:
            raise BadArtifact(f"{args.server} has nothing called {visible(name)!r}")
    waiting = {name: pins[name] for name in args.names or sorted(pins) if pins[name].waiting}
    for name, pin in waiting.items():
        print(f"{'changed' if pin.approved else 'new'}: {args.server} / {visible(name)}")
        for doubt in pin.doubts:
            print(f"  {doubt.severity}: {doubt.rule}: {visible(doubt.why)}")
        for line in difference(pin):
            print(f"  {line}")
        print()
    if waiting:
        seen = " ".join(f"'{name}@{pin.waiting.sha256[:12]}'" for name, pin in waiting.items() if pin.waiting)
        print("to approve what is shown here, and nothing that took its place since:")
        print(f"  bartizan mcp approve {args.server} {seen}")
    else:
        print("nothing waits: all that was offered is what was approved")
    return FAILED if waiting else OK


def _approve(args: argparse.Namespace) -> int:
    settings, who = configured(args), args.by or getpass.getuser()
    pins = _pins(settings)
    done = pins.approve(args.server, args.names, who)
    for one in done:
        note(settings, "mcp-approved", server=args.server, name=one.name, sha256=one.sha256, who=who)
        print(f"approved: {args.server} / {visible(one.name)} ({one.sha256[:12]})")
    doubted = {name: pin for name, pin in pins.pins(args.server).items() if pin.waiting and pin.doubted}
    for name, pin in doubted.items():
        rules = ", ".join(dict.fromkeys(doubt.rule for doubt in pin.doubts))
        print(
            f"still waits: {args.server} / {visible(name)} ({rules}): look at it with `bartizan mcp diff {args.server}`"
        )
    if not done and not doubted:
        print("nothing waits for approval")
    return FAILED if doubted else OK


def _approve_arguments(parser: argparse.ArgumentParser) -> None:
    _of_names(parser)
    parser.add_argument("--by", metavar="WHO", help="who approves (default: the user's name)")


def _forget(args: argparse.Namespace) -> int:
    settings = configured(args)
    if not _pins(settings).forget(args.server):
        print(f"nothing is known of a server called {args.server!r}")
        return FAILED
    note(settings, "mcp-forgotten", server=args.server, who=getpass.getuser())
    print(f"forgotten: {args.server}; its next list of tools is its first")
    return OK


DIFF = Command("diff", "Show what is offered now against what was approved.", _of_names, _diff)
APPROVE = Command("approve", "Approve what waits, as it was last offered.", _approve_arguments, _approve)
FORGET = Command("forget", "Forget all that is known of a server.", _of_server, _forget)

"""`bartizan mcp ACT`: finds the act and hands over. The acts stand in one tuple."""

import argparse

from bartizan.cli.base import Command
from bartizan.cli.mcp import approve, login, permit, pins, run, serve

ACTS: tuple[Command, ...] = (
    run.COMMAND,
    serve.COMMAND,
    pins.COMMAND,
    approve.DIFF,
    approve.APPROVE,
    approve.FORGET,
    permit.COMMAND,
    login.COMMAND,
)


def _arguments(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(title="acts", metavar="ACT", required=True)
    for one in ACTS:
        act = acts.add_parser(one.name, help=one.help, description=one.help)
        one.arguments(act)
        act.set_defaults(run=one.run)


def _run(args: argparse.Namespace) -> int:
    raise AssertionError(f"argparse demands an act, got {args}")


COMMAND = Command("mcp", "Stand in front of MCP servers: pin, decide, screen.", _arguments, _run)

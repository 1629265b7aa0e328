"""`bartizan lab ACT`: finds the act and hands over. The acts stand in one tuple."""

import argparse

from bartizan.cli.base import Command
from bartizan.cli.lab import attack, audit, backdoor, fingerprint, harden, invert_embeddings, width

ACTS: tuple[Command, ...] = (
    attack.COMMAND,
    harden.COMMAND,
    audit.COMMAND,
    backdoor.COMMAND,
    invert_embeddings.COMMAND,
    width.COMMAND,
    fingerprint.COMMAND,
)


def _arguments(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(title="acts", metavar="ACT", required=True)
    for one in ACTS:
        act = acts.add_parser(one.name, help=one.help, description=one.help)
        one.arguments(act)
        act.set_defaults(run=one.run)


def _run(args: argparse.Namespace) -> int:
    raise AssertionError(f"argparse demands an act, got {args}")


COMMAND = Command("lab", "Attack a predictive model, harden it, and measure both.", _arguments, _run)

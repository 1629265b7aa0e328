"""`bartizan COMMAND`: finds the command, runs it, turns our errors into one line and an exit code.

Exit codes: 0 everything holds, 1 a claim or a check failed, 2 could not test or could not start.
"""

import argparse
import sys
from collections.abc import Sequence

from bartizan import __version__
from bartizan.cli import (
    admit,
    approvals,
    assess,
    bom,
    budgets,
    dashboard,
    data,
    detect,
    detector,
    flagged,
    guard,
    init,
    keys,
    kill,
    ledger,
    lock,
    people,
    policy,
    predict,
    prices,
    reference,
    runs,
    scan,
    serve,
    sign,
    spend,
    threats,
    verify,
    watch,
)
from bartizan.cli.base import CANNOT, Command
from bartizan.cli.lab import command as lab
from bartizan.cli.mcp import command as mcp
from bartizan.core.errors import BartizanError

COMMANDS: tuple[Command, ...] = (
    init.COMMAND,
    serve.COMMAND,
    mcp.COMMAND,
    keys.COMMAND,
    predict.COMMAND,
    prices.COMMAND,
    budgets.COMMAND,
    spend.COMMAND,
    kill.COMMAND,
    assess.COMMAND,
    runs.COMMAND,
    lab.COMMAND,
    scan.COMMAND,
    sign.COMMAND,
    verify.COMMAND,
    admit.COMMAND,
    lock.COMMAND,
    guard.COMMAND,
    bom.COMMAND,
    data.COMMAND,
    ledger.COMMAND,
    dashboard.COMMAND,
    watch.COMMAND,
    detect.COMMAND,
    detector.COMMAND,
    flagged.COMMAND,
    people.COMMAND,
    policy.COMMAND,
    approvals.COMMAND,
    threats.COMMAND,
    reference.COMMAND,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command with the words `argv` and return its exit code."""
    args = parser().parse_args(argv)
    try:
        code: int = args.run(args)
    except BartizanError as error:
        print(f"bartizan: {error}", file=sys.stderr)
        if error.hint():
            print(f"          {error.hint()}", file=sys.stderr)
        return CANNOT
    except KeyboardInterrupt:
        print("bartizan: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output went away (`| head`): nobody is left to tell
        return CANNOT
    return code


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands, in the order of `COMMANDS`."""
    top = argparse.ArgumentParser(prog="bartizan", description="Attack your AI, close what gets through, prove both.")
    top.add_argument("--version", action="version", version=f"bartizan {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        sub = commands.add_parser(command.name, help=command.help, description=command.help)
        command.arguments(sub)
        sub.set_defaults(run=command.run)
    return top


def run() -> None:
    """Run the command line and exit with its code."""
    sys.exit(main())

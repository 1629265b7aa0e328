"""`bartizan mcp permit TOOL ARGUMENTS`: a decision by hand, or by a program that decides calls itself."""

import argparse
import json
from pathlib import Path

from bartizan.cli.base import OK, Command, add_config, configured
from bartizan.cli.noting import note
from bartizan.core.clock import SystemClock
from bartizan.core.errors import BadRequest, BadSettings
from bartizan.ledger.decisions import LIFETIME_S, Decisions, call_hash


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument("tool", help="the tool, under a name of mcp.called_as")
    parser.add_argument("arguments", help="the call's arguments, a JSON object")
    parser.add_argument("--seconds", type=float, default=LIFETIME_S, help="how long it holds (default: %(default)g)")


def _run(args: argparse.Namespace) -> int:
    settings = configured(args)
    if not settings.policy.decisions_file:
        raise BadSettings("policy.decisions_file is empty: expected the file that the proxy reads")
    try:
        arguments = json.loads(args.arguments)
    except ValueError as error:
        raise BadRequest(f"arguments: not JSON: {error}") from error
    if not isinstance(arguments, dict) or not 0 < args.seconds <= 86400:
        raise BadRequest("expected a JSON object of arguments, and 0 to 86400 seconds")
    decisions = Decisions(Path(settings.policy.decisions_file), SystemClock())
    try:
        id_ = decisions.issue(args.tool, arguments, args.seconds)
    finally:
        decisions.close()
    note(settings, "mcp-permitted", tool=args.tool, arguments=call_hash(arguments), decision=id_, who="command line")
    print(f"one call of {args.tool} with these arguments may be executed within {args.seconds:g} s (decision {id_})")
    return OK


COMMAND = Command("permit", "Decide one call by hand: it may be executed once.", _arguments, _run)

"""`bartizan kill`: stops a key, a model, a tool, a team or everything in a running gateway, and lets it go again."""

import argparse
import asyncio
import json

from rich.console import Console
from rich.table import Table

from bartizan.cli.base import OK, Command, add_config, configured
from bartizan.cli.noting import note
from bartizan.cli.spend import opened
from bartizan.core.errors import BadSettings
from bartizan.core.sections import Settings
from bartizan.core.sections.limits import Limits
from bartizan.gateway.limits.rules import KINDS
from bartizan.ledger.stores.base import EVERYTHING


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument(
        "scope", nargs="?", default="", help="all, or KIND:NAME such as key:abc; none shows what is off"
    )
    parser.add_argument("--why", default="stopped by the operator", help="the reason, for the record")
    parser.add_argument("--lift", action="store_true", help="let it go again")
    parser.add_argument("--json", action="store_true", help="show what is off as JSON")


def _run(args: argparse.Namespace) -> int:
    settings = configured(args)
    if not args.scope:
        return _show(asyncio.run(switches(settings.limits)), as_json=args.json)
    why = "" if args.lift else args.why or "stopped by the operator"
    print(turn(settings, args.scope, why, args.why))
    return OK


def turn(settings: Settings, scope: str, why: str, reason: str) -> str:
    """Stop `scope` for `why`, or let it go again when `why` is empty; record `reason` and say what happened.

    Raises BadSettings for a scope that is none.
    """
    kind, _, name = scope.partition(":")
    if scope != EVERYTHING and (kind not in KINDS or not name or "*" in name):
        raise BadSettings(f"{scope!r}: expected all, or KIND:NAME with KIND of {', '.join(KINDS)} and no pattern")
    asyncio.run(_switch(settings.limits, scope, why))
    note(settings, "switched-off" if why else "switched-on", scope=scope, why=reason)
    return f"{scope}: {'stopped' if why else 'let go again'}; a running gateway obeys within a second"


async def _switch(limits: Limits, scope: str, why: str) -> None:
    store = opened(limits)
    try:
        await store.switch(scope, why)
    finally:
        await store.close()


async def switches(limits: Limits) -> dict[str, str]:
    """Return why each scope is stopped that is."""
    store = opened(limits)
    try:
        return await store.switches()
    finally:
        await store.close()


def _show(switches: dict[str, str], *, as_json: bool) -> int:
    if as_json:
        print(json.dumps(switches, indent=2))
        return OK
    table = Table("stopped", "why")
    for scope, why in sorted(switches.items()):
        table.add_row(scope, why)
    Console().print(table if switches else "nothing is stopped")
    return OK


COMMAND = Command("kill", "Stop a key, a model, a tool or everything at once.", _arguments, _run)

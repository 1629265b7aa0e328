"""`bartizan people`: who may sign in to the dashboard, with which role. A password is asked for, never an argument."""

import argparse
import datetime
import getpass
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bartizan.cli.base import OK, Command, add_config, configured
from bartizan.cli.noting import note
from bartizan.core.clock import SystemClock
from bartizan.core.errors import BadSettings
from bartizan.core.sections import Settings
from bartizan.dashboard.people import People, Role

ROLES = tuple(role.name.lower() for role in Role)


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    add = verbs.add_parser("add", help="add a person; the password is asked for, or read from standard input")
    add.add_argument("name")
    add.add_argument("--role", choices=ROLES, default="viewer", help="what they may do (default viewer)")
    add.set_defaults(verb=_add)
    role = verbs.add_parser("role", help="give a person another role")
    role.add_argument("name")
    role.add_argument("role", choices=ROLES)
    role.set_defaults(verb=_role)
    remove = verbs.add_parser("remove", help="remove a person; open sessions end at once")
    remove.add_argument("name")
    remove.set_defaults(verb=_remove)
    forget = verbs.add_parser("forget", help="take all passkeys of a person away: a device was lost")
    forget.add_argument("name")
    forget.set_defaults(verb=_forget)
    verbs.add_parser("list", help="show who may sign in").set_defaults(verb=_list)


def _run(args: argparse.Namespace) -> int:
    settings = configured(args)
    people = People(Path(settings.dashboard.people_file), SystemClock())
    code: int = args.verb(args, people, settings)
    return code


def _add(args: argparse.Namespace, people: People, settings: Settings) -> int:
    people.add(args.name, Role[args.role.upper()], _password())
    note(settings, "person-added", name=args.name, role=args.role, who="command line")
    print(f"{args.name} may sign in as {args.role}")
    return OK


def _role(args: argparse.Namespace, people: People, settings: Settings) -> int:
    people.promote(args.name, Role[args.role.upper()])
    note(settings, "person-changed", name=args.name, role=args.role, who="command line")
    print(f"{args.name} is {args.role} now")
    return OK


def _remove(args: argparse.Namespace, people: People, settings: Settings) -> int:
    people.remove(args.name)
    note(settings, "person-removed", name=args.name, who="command line")
    print(f"{args.name} may not sign in any more")
    return OK


def _forget(args: argparse.Namespace, people: People, settings: Settings) -> int:
    gone = people.forget_passkeys(args.name)
    note(settings, "passkeys-forgotten", name=args.name, count=gone, who="command line")
    print(f"{gone} passkeys of {args.name} sign nobody in any more")
    return OK


def _list(args: argparse.Namespace, people: People, settings: Settings) -> int:
    table = Table("name", "role", "passkeys", "since (UTC)")
    for one in people.everybody():
        since = datetime.datetime.fromtimestamp(one.created_ns / 1e9, tz=datetime.UTC)
        table.add_row(one.name, one.role, str(len(one.passkeys)), f"{since:%Y-%m-%d}")
    Console().print(table if people.everybody() else f"nobody in {settings.dashboard.people_file}")
    return OK


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("password: ")
    if getpass.getpass("again: ") != first:
        raise BadSettings("the two passwords differ", hint="Nothing was changed; try again.")
    return first


COMMAND = Command("people", "Say who may sign in to the dashboard, with which role.", _arguments, _run)

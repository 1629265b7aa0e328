"""`bartizan budgets`: sets, removes and lists limits. A running gateway takes them up within a second."""

import argparse
import json
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from bartizan.cli.base import OK, Command, add_config, configured
from bartizan.cli.noting import note
from bartizan.core.errors import BadSettings
from bartizan.core.sections import Settings
from bartizan.core.sections.limits import LimitRule
from bartizan.gateway.limits.files import rules_in, write_rules
from bartizan.gateway.limits.rules import parse


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    setting = verbs.add_parser("set", help="set a limit; it replaces one of the same scope, kind and window")
    setting.add_argument("scope", help="all, or KIND:NAME such as key:abc, team:ml, model:gpt-*, user:*, session:*")
    setting.add_argument("allow", help="'$50 per month', '60 requests per minute, burst 10', '8 at once'")
    setting.set_defaults(verb=_set)
    removing = verbs.add_parser("remove", help="remove a limit that was set here")
    removing.add_argument("scope")
    removing.add_argument("allow")
    removing.set_defaults(verb=_remove)
    for word, what in (("list", "show every limit"), ("show", "show the limits of one scope")):
        listing = verbs.add_parser(word, help=what)
        listing.add_argument("scope", nargs=None if word == "show" else "?", default="")
        listing.add_argument("--json", action="store_true", help="as JSON")
        listing.set_defaults(verb=_list)


def _run(args: argparse.Namespace) -> int:
    code: int = args.verb(args)
    return code


def _set(args: argparse.Namespace) -> int:
    print(put(configured(args), LimitRule(args.scope, args.allow)))
    return OK


def put(settings: Settings, rule: LimitRule) -> str:
    """Set a limit, record it and say so. Raises BadSettings when it cannot be read or counts what has no price."""
    path = Path(settings.limits.rules_file)
    new = parse(rule)
    if new.unit in ("money", "input", "output") and not Path(settings.limits.prices_file).exists():
        raise BadSettings(
            f"{settings.limits.prices_file}: there is no price book, and this limit counts money or tokens",
            hint="`bartizan prices sign FILE` makes one of your own prices.",
        )
    kept = [old for old in rules_in(path) if (parse(old).same, parse(old).name) != (new.same, new.name)]
    write_rules(path, [*kept, rule])
    note(settings, "limit-set", scope=rule.scope, allow=rule.allow)
    return f"{rule.scope}: {rule.allow}; a running gateway takes it up within a second"


def _remove(args: argparse.Namespace) -> int:
    print(drop(configured(args), LimitRule(args.scope, args.allow)))
    return OK


def drop(settings: Settings, gone: LimitRule) -> str:
    """Remove a limit that was set while running, record it and say so. Raises BadSettings when there is none."""
    path = Path(settings.limits.rules_file)
    rules = rules_in(path)
    if gone not in rules:
        raise BadSettings(f"{gone.scope}: {gone.allow}: not set in {path}", hint="`bartizan budgets list` shows all.")
    write_rules(path, [rule for rule in rules if rule != gone])
    note(settings, "limit-removed", scope=gone.scope, allow=gone.allow)
    return f"removed {gone.scope}: {gone.allow}"


def _list(args: argparse.Namespace) -> int:
    limits = configured(args).limits
    running = rules_in(Path(limits.rules_file))
    replaced = {(parse(rule).same, parse(rule).name) for rule in running}
    written = [rule for rule in limits.rules if (parse(rule).same, parse(rule).name) not in replaced]
    rows = [(rule, "set while running") for rule in running] + [(rule, "settings file") for rule in written]
    rows = [(rule, source) for rule, source in rows if args.scope in ("", rule.scope)]
    if args.json:
        print(json.dumps([{**msgspec.to_builtins(rule), "from": source} for rule, source in rows], indent=2))
        return OK
    table = Table("scope", "allows", "from")
    for rule, source in rows:
        table.add_row(rule.scope, rule.allow, source)
    Console().print(table if rows else "no limits: `bartizan budgets set 'key:*' '$50 per month'` sets one")
    return OK


COMMAND = Command("budgets", "Set and list budgets, rates and slots.", _arguments, _run)

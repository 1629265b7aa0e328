"""`bartizan keys`: makes, rotates, revokes and lists API keys. A key's text is shown once, when it is made."""

import argparse
import datetime
import ipaddress
import json
import sys
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from bartizan.cli.base import OK, Command, add_config, configured
from bartizan.cli.noting import note
from bartizan.core.clock import SystemClock
from bartizan.core.errors import BadSettings
from bartizan.core.sections import Settings
from bartizan.gateway.grants import ROLES, Grant
from bartizan.gateway.keys import OWNERS, Key, KeyBook


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    create = verbs.add_parser("create", help="make a key and show it once")
    create.add_argument("name", help="who it is for")
    create.add_argument("--days", type=float, default=90.0, help="it expires after this many days (default 90)")
    create.add_argument("--admin", action="store_true", help="may manage and measure, may not talk to models")
    for word, what in (("route", "path"), ("model", "model"), ("tool", "tool name")):
        create.add_argument(f"--{word}", action="append", metavar="PATTERN", help=f"{what} it may use (default any)")
    create.add_argument("--network", action="append", metavar="CIDR", help="where it may be used (default anywhere)")
    create.add_argument("--role", action="append", choices=ROLES, help="message roles it may send (default all)")
    create.add_argument("--no-logprobs", action="store_true", help="may not see token probabilities")
    create.add_argument("--no-logit-bias", action="store_true", help="may not set logit_bias")
    create.add_argument("--no-state", action="store_true", help="may not refer to conversations kept by the provider")
    create.add_argument("--max-choices", type=int, default=128, help="largest n and best_of")
    create.add_argument("--max-output-tokens", type=int, help="no answer is longer than this")
    for word in OWNERS:
        create.add_argument(f"--{word}", default="", metavar="NAME", help=f"the {word} whose limits it counts for too")
    create.set_defaults(verb=_create)
    canary = verbs.add_parser("canary", help="make a key that nobody uses: whoever does has stolen it")
    canary.add_argument("name", help="where it is laid out")
    canary.add_argument("--days", type=float, default=365.0, help="it expires after this many days (default 365)")
    canary.set_defaults(verb=_canary)
    rotate = verbs.add_parser("rotate", help="give a key a second secret; the old one works a while longer")
    rotate.add_argument("id")
    rotate.add_argument("--overlap-hours", type=float, default=24.0, help="the old secret works this long (default 24)")
    rotate.set_defaults(verb=_rotate)
    revoke = verbs.add_parser("revoke", help="end a key at once")
    revoke.add_argument("id")
    revoke.set_defaults(verb=_revoke)
    listing = verbs.add_parser("list", help="show all keys, without their secrets")
    listing.add_argument("--json", action="store_true", help="as JSON")
    listing.set_defaults(verb=_list)


def _run(args: argparse.Namespace) -> int:
    settings = configured(args)
    book = KeyBook(Path(settings.gateway.keys_file), SystemClock())
    code: int = args.verb(args, book, settings)
    return code


def _create(args: argparse.Namespace, book: KeyBook, settings: Settings) -> int:
    if args.days <= 0 or args.max_choices < 1 or (args.max_output_tokens or 1) < 1:
        raise BadSettings("--days, --max-choices and --max-output-tokens: expected more than 0")
    for network in args.network or ():
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            raise BadSettings(f"--network {network}: {error}") from None
    grant = Grant(
        routes=tuple(args.route or ("*",)),
        models=tuple(args.model or ("*",)),
        tools=tuple(args.tool or ("*",)),
        networks=tuple(args.network or ()),
        roles=tuple(args.role or ROLES),
        logprobs=not args.no_logprobs,
        logit_bias=not args.no_logit_bias,
        stateful=not args.no_state,
        max_choices=args.max_choices,
        max_output_tokens=args.max_output_tokens,
    )
    owners = {word: getattr(args, word) for word in OWNERS}
    key, text = book.create(args.name, days=args.days, grant=grant, admin=args.admin, owners=owners)
    note(settings, "key-created", key=key.id, name=key.name, expires_ns=key.expires_ns, admin=key.admin)
    _show(text, f"made key {key.id} for {key.name}, expires {_day(key.expires_ns)}")
    return OK


def _canary(args: argparse.Namespace, book: KeyBook, settings: Settings) -> int:
    if args.days <= 0:
        raise BadSettings("--days: expected more than 0")
    key, text = book.lay_out(args.name, days=args.days)
    note(settings, "canary-created", key=key.id, name=key.name)
    _show(text, f"made canary {key.id}: it opens nothing, and its use is an alert")
    return OK


def _rotate(args: argparse.Namespace, book: KeyBook, settings: Settings) -> int:
    text = book.rotate(args.id, overlap_hours=args.overlap_hours)
    note(settings, "key-rotated", key=args.id, overlap_hours=args.overlap_hours)
    _show(text, f"rotated key {args.id}; the old secret works {args.overlap_hours:g} hours more")
    return OK


def _revoke(args: argparse.Namespace, book: KeyBook, settings: Settings) -> int:
    book.revoke(args.id)
    note(settings, "key-revoked", key=args.id)
    print(f"revoked key {args.id}; a running gateway refuses it within a second")
    return OK


def _list(args: argparse.Namespace, book: KeyBook, settings: Settings) -> int:
    now = SystemClock().wall_ns()
    keys = book.keys()
    if args.json:
        print(json.dumps([{**_public(key), "state": key.state(now)} for key in keys], indent=2))
        return OK
    table = Table("id", "name", "state", "expires", "secrets", "models", "rights")
    for key in keys:
        rights = "admin" if key.admin else ", ".join(key.grant.roles)
        models = " ".join(key.grant.models)
        table.add_row(key.id, key.name, key.state(now), _day(key.expires_ns), str(len(key.secrets)), models, rights)
    Console().print(table if keys else "no keys yet: `bartizan keys create NAME` makes one")
    return OK


def _public(key: Key) -> dict[str, object]:
    shown: dict[str, object] = msgspec.to_builtins(key)
    return {**shown, "secrets": len(key.secrets)}


def _show(text: str, what: str) -> None:
    """Print the key alone to standard output, so that it can be piped, and the rest beside it."""
    print(f"{what}. This is the only time it is shown:", file=sys.stderr)
    print(text)


def _day(ns: int) -> str:
    return datetime.datetime.fromtimestamp(ns / 1e9, datetime.UTC).strftime("%Y-%m-%d")


COMMAND = Command("keys", "Make, rotate, revoke and list API keys.", _arguments, _run)

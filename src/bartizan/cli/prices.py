"""`bartizan prices`: checks, signs and shows the price book. Prices are yours: nothing is fetched."""

import argparse
import datetime
import json
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Column, Table

from bartizan.cli.base import OK, Command, add_config, configured
from bartizan.cli.noting import note
from bartizan.core.clock import SystemClock
from bartizan.core.errors import BadSettings
from bartizan.core.sections.limits import Limits
from bartizan.gateway.limits.money import dollars
from bartizan.gateway.limits.prices import Book, Model, PriceBook, Tier, load, write


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    example = verbs.add_parser("example", help="print a price book to start from; its prices are invented")
    example.set_defaults(verb=_example)
    signing = verbs.add_parser("sign", help="check a price book, sign it and put it into force")
    signing.add_argument("file", type=Path, help="JSON: as_of, and for each model its prices in dollars per million")
    signing.set_defaults(verb=_sign)
    checking = verbs.add_parser("check", help="check the signature and the age of the book in force")
    checking.add_argument("model", nargs="*", help="models that must have a price")
    checking.set_defaults(verb=_check)
    showing = verbs.add_parser("show", help="show the book in force")
    showing.add_argument("--json", action="store_true", help="as JSON")
    showing.set_defaults(verb=_show)


def _run(args: argparse.Namespace) -> int:
    code: int = args.verb(args)
    return code


def _example(args: argparse.Namespace) -> int:
    small = Tier(input="0.50", output="2.00", cached="0.05")
    long = Tier(input="1.00", output="4.00", cached="0.10", from_input_tokens=200_000)
    fast = Tier(input="1.00", output="4.00", service="priority")
    models = (
        Model("example-large*", 400_000, 32_000, (small, long, fast), image_tokens=1600),
        Model("local-*", 8192, 4096, (Tier("0", "0"),)),
    )
    book = Book(datetime.datetime.now(datetime.UTC).date(), models)
    print(msgspec.json.format(msgspec.json.encode(book)).decode())
    return OK


def _sign(args: argparse.Namespace) -> int:
    settings = configured(args)
    try:
        book = msgspec.json.decode(args.file.read_bytes(), type=Book)
    except (OSError, ValueError) as error:
        raise BadSettings(
            f"{args.file}: cannot be read as a price book: {error}", hint="`bartizan prices example` shows the form."
        ) from error
    public = write(Path(settings.limits.prices_file), book)
    note(settings, "prices-signed", as_of=str(book.as_of), models=len(book.models), key=public)
    print(f"signed {len(book.models)} models as of {book.as_of} into {settings.limits.prices_file}")
    print(f'public key, for limits.prices_key on other machines: "{public}"')
    return OK


def _check(args: argparse.Namespace) -> int:
    book = _loaded(configured(args).limits)
    missing = [name for name in args.model if book.price(name) is None]
    if missing:
        raise BadSettings(f"no price for {', '.join(missing)}: requests for it are refused where money is counted")
    print(f"the signature holds; {len(book.book.models)} models as of {book.book.as_of}")
    return OK


def _show(args: argparse.Namespace) -> int:
    book = _loaded(configured(args).limits).book
    if args.json:
        print(json.dumps(msgspec.to_builtins(book), indent=2))
        return OK
    model_column = Column("model", no_wrap=True)
    table = Table(model_column, "tier", "input", "cached", "cache write", "output", "context", "longest answer")
    for model in book.models:
        for tier, rate in zip(model.tiers, model.rates(), strict=True):
            which = tier.service or (f"from {tier.from_input_tokens} tokens" if tier.from_input_tokens else "standard")
            paid = map(dollars, (rate.input, rate.cached, rate.cache_write, rate.output))
            table.add_row(model.model, which, *paid, str(model.context_tokens), str(model.max_output_tokens))
    Console().print(table, f"dollars per million tokens, as of {book.as_of}")
    return OK


def _loaded(limits: Limits) -> PriceBook:
    return load(
        Path(limits.prices_file),
        SystemClock().wall_ns(),
        public_key=limits.prices_key,
        max_age_days=limits.prices_max_age_days,
    )


COMMAND = Command("prices", "Check, sign and show what models cost.", _arguments, _run)

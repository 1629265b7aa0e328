"""`bartizan lab width URL`: how wide a language model is inside, from the token probabilities that its API tells.

Writes width.json and width.html. Answers are kept under the output folder, with what they cost: the same command goes
on where it was stopped, pays for none of them twice, and tells the price of all runs together.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from bartizan.cli.base import OK, Command, at_least
from bartizan.cli.lab.subject import Told, bar, folder
from bartizan.core import settings
from bartizan.core.errors import BadSettings

if TYPE_CHECKING:
    from bartizan.lab.auditing.family import Family
    from bartizan.lab.extraction.probabilities import Opening, TokenApi
    from bartizan.lab.extraction.readings import Plan, Reading


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="URL", help="base of an OpenAI-compatible API; …/chat/completions: chat only")
    parser.add_argument("--model", metavar="NAME", help="model to ask for (default: the first that the API lists)")
    parser.add_argument("--api-key-env", metavar="NAME", default="", help="environment variable that holds the key")
    parser.add_argument(
        "--max-requests", type=int, metavar="N", default=20_000, help="never more than this in one run (20000)"
    )
    parser.add_argument("--max-dollars", type=float, metavar="X", help="stop a run that has spent this; needs prices")
    parser.add_argument("--price-input", type=float, metavar="X", default=0.0, help="dollars per million tokens in")
    parser.add_argument("--price-output", type=float, metavar="X", default=0.0, help="dollars per million tokens out")
    parser.add_argument(
        "--widest", type=at_least(1), metavar="N", default=8192, help="look no further than this (8192)"
    )
    parser.add_argument("--jobs", type=at_least(1), metavar="N", default=4, help="questions at the same time (4)")
    parser.add_argument("--seed", type=int, metavar="N", default=20261124, help="the same seed asks the same")
    parser.add_argument("--output", type=Path, metavar="DIR", default=Path(), help="folder for width.json and .html")
    parser.add_argument("--json", action="store_true", help="the result as JSON on standard output")


def _run(args: argparse.Namespace) -> int:
    from bartizan.lab.auditing.page import as_page
    from bartizan.lab.auditing.width import as_family, as_words

    where = folder(args.output)
    api = _api(args)
    begun = time.perf_counter()
    try:
        with bar() as told:
            reading = _read(api, args, where, told)
    except KeyboardInterrupt:
        Console(stderr=True).print("stopped; answers are kept: the same command goes on", markup=False)
        raise
    finally:
        api.close()
    family = as_family(reading, api, time.perf_counter() - begun)
    words = {**as_words(reading, api), "seed": args.seed}
    facts = {"model": api.model, "about": f"Asked at {api.base}.", "seed": args.seed}
    (where / "width.json").write_text(json.dumps(words, indent=1) + "\n", encoding="utf-8")
    (where / "width.html").write_text(as_page([family], facts), encoding="utf-8")
    if args.json:
        print(json.dumps(words))
    else:
        _show(family, where)
    return OK


def _api(args: argparse.Namespace) -> TokenApi:
    from bartizan.lab.chat import HttpChat, RequestBudget
    from bartizan.lab.extraction.probabilities import Limits, TokenApi

    if not args.target.startswith(("http://", "https://")):
        raise BadSettings(f"{args.target}: expected an address that starts with http:// or https://")
    if args.max_requests < 50 or not 1 <= args.jobs <= 64 or not 64 <= args.widest <= 32_768:
        raise BadSettings(
            f"--max-requests {args.max_requests} --jobs {args.jobs} --widest {args.widest}: "
            "expected at least 50, 1 to 64, and 64 to 32768"
        )
    if min(args.price_input, args.price_output) < 0 or (args.max_dollars is not None and not args.price_input):
        raise BadSettings(
            f"--price-input {args.price_input} --price-output {args.price_output} --max-dollars {args.max_dollars}: "
            "expected prices from 0 on, and --price-input where dollars are limited"
        )
    key = settings.secret(args.api_key_env, "", "--api-key-env") if args.api_key_env else ""
    dollars = float("inf") if args.max_dollars is None else args.max_dollars
    limits = Limits(args.max_requests, args.price_input, args.price_output, dollars)
    api = TokenApi(args.target, args.model or "", limits, api_key=key)
    if not args.model:
        listing = HttpChat(api.base, "", RequestBudget(1), api_key=key)
        api.model = listing.models()[0]
        listing.close()
    return api


def _read(api: TokenApi, args: argparse.Namespace, where: Path, told: Told) -> Reading:
    from bartizan.lab.extraction.probabilities import probe
    from bartizan.lab.extraction.readings import read_width

    told("what the API tells", 0, 1)
    opening = probe(api)
    return read_width(api, opening, _plan(api, opening, args, where), told)


def _plan(api: TokenApi, opening: Opening, args: argparse.Namespace, where: Path) -> Plan:
    from bartizan.lab.auditing.family import digest
    from bartizan.lab.extraction.readings import Plan

    name = digest(api.base, api.chat, api.model, opening.way, args.seed)
    return Plan(args.widest, args.jobs, args.seed, where / ".bartizan-lab" / f"width-{name}.jsonl")


def _show(family: Family, where: Path) -> None:
    console = Console()
    colour = {"leaks": "red", "little": "yellow", "none": "green"}.get(family.grade, "default")
    table = Table("asked", "answer", pad_edge=False)
    for row in family.rows[1:]:
        table.add_row(*row)
    console.print(table)
    console.print(f"{family.grade}: {family.says}", style=colour, markup=False, highlight=False)
    for note in family.notes:
        console.print(note, markup=False, highlight=False)
    console.print(f"wrote {where / 'width.json'} and {where / 'width.html'}", highlight=False)


COMMAND = Command("width", "How wide a language model is, from the probabilities that its API tells.", _arguments, _run)

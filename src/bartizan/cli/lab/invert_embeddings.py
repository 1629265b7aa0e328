"""`bartizan lab invert-embeddings [ENCODER]`: how much of texts comes back from their stored vectors, and what helps.

Writes embeddings.json and embeddings.html. Without files the texts are invented notes, and the attacker owns others of
the same kinds.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from bartizan.cli.base import OK, Command
from bartizan.cli.lab.subject import bar, folder
from bartizan.core import settings
from bartizan.core.errors import BadSettings
from bartizan.lab.needs import need
from bartizan.threats.shipped_encoder import NAME, shipped_encoder

if TYPE_CHECKING:
    from bartizan.lab.auditing.family import Family
    from bartizan.lab.inversion.embedding_study import Store
    from bartizan.lab.inversion.vector_release import Defence


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "encoder",
        nargs="?",
        default=NAME,
        metavar="ENCODER",
        help="http://host/v1/embeddings, python:module:function, a folder or wheel of a BERT encoder (shipped)",
    )
    parser.add_argument("--texts", type=Path, metavar="FILE", help="texts that are stored: .txt, one a line, or .jsonl")
    parser.add_argument("--own", type=Path, metavar="FILE", help="texts of the attacker's own, as near as he may have")
    parser.add_argument("--model", default="", metavar="NAME", help="the model's name behind an address")
    parser.add_argument("--api-key-env", default="", metavar="NAME", help="environment variable with its key")
    parser.add_argument("--max-queries", type=int, metavar="N", help="the encoder never gets more texts than this")
    parser.add_argument("--sentences", type=int, default=12, metavar="N", help="sentences rebuilt (default 12)")
    parser.add_argument("--questions", type=int, default=300, metavar="N", help="texts embedded for each (default 300)")
    parser.add_argument("--defence", metavar="NAME", help="rebuild sentences under it too, such as 'noise 0.3', 'int8'")
    parser.add_argument("--seed", type=int, metavar="N", default=20261129, help="the same seed gives the same result")
    parser.add_argument("--output", type=Path, metavar="DIR", default=Path(), help="folder for what is written")
    parser.add_argument("--json", action="store_true", help="the result as JSON on standard output")


def _run(args: argparse.Namespace) -> int:
    for module in ("torch", "sklearn"):
        need(module)
    if (args.texts is None) != (args.own is None):
        raise BadSettings("--texts and --own go together", hint="The attacker learns on texts like those stored.")
    if args.sentences < 1 or args.questions < 1:
        raise BadSettings(f"--sentences {args.sentences} --questions {args.questions}: expected 1 and more")
    where = folder(args.output)
    from bartizan.lab.auditing.embeddings import families
    from bartizan.lab.auditing.page import as_json, as_page

    store = opened(args)
    with bar() as told:
        told("embedding", 0, 1)
        chosen = _named(args.defence, store.theirs.shape[1]) if args.defence else None
        found = families(store, sentences=args.sentences, questions=args.questions, chosen=chosen, progress=told)
    about = (
        f"{len(store.stolen)} stored texts; the attacker owns {len(store.own)}. {store.encoder.asked:,} texts embedded."
    )
    facts = {"model": f"a store of vectors of {store.encoder.name}", "about": about, "seed": args.seed}
    words = as_json(found, facts | {"texts embedded": store.encoder.asked})
    (where / "embeddings.json").write_text(json.dumps(words, indent=2) + "\n", encoding="utf-8")
    (where / "embeddings.html").write_text(as_page(found, facts), encoding="utf-8")
    if args.json:
        print(json.dumps(words))
    else:
        _show(found, about, where)
    return OK


def opened(args: argparse.Namespace) -> Store:
    """Return encoder and texts that the arguments name."""
    from bartizan.lab.inversion.embedding_study import Store
    from bartizan.lab.inversion.notes import load, notes
    from bartizan.lab.targets.encoders import open_encoder

    key = settings.secret(args.api_key_env, "", "--api-key-env") if args.api_key_env else ""
    if args.encoder == NAME:
        encoder = shipped_encoder(args.max_queries)
    else:
        encoder = open_encoder(args.encoder, model=args.model, api_key=key, limit=args.max_queries)
    stolen = load(args.texts) if args.texts else notes(150, args.seed)
    own = load(args.own) if args.own else notes(800, args.seed + 1)
    return Store(encoder, stolen, own, args.seed)


def _named(name: str, width: int) -> Defence:
    from bartizan.lab.inversion.vector_release import Rotation, ladder

    known = {one.name: one for one in ladder(width) if not isinstance(one, Rotation)}
    if name not in known:
        raise BadSettings(f"--defence {name!r}: expected one of {', '.join(known)}")
    return known[name]


def _show(found: list[Family], about: str, where: Path) -> None:
    console = Console()
    console.print(about, highlight=False)
    for family in found:
        console.print(f"\n{family.name}: {family.says}", markup=False, highlight=False)
        if family.rows:
            table = Table(*family.rows[0])
            for row in family.rows[1:]:
                table.add_row(*row)
            console.print(table)
    console.print(f"wrote {where / 'embeddings.json'} and {where / 'embeddings.html'}", highlight=False)


COMMAND = Command(
    "invert-embeddings", "Read texts back from their stored vectors; say which defences help.", _arguments, _run
)

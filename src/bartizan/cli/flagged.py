"""`bartizan flagged`: what the input screen flagged and people labelled, as rows that a training may read."""

import argparse
import contextlib
import json
from pathlib import Path

from bartizan.cli.base import OK, Command, add_config, configured
from bartizan.cli.noting import note
from bartizan.core.clock import SystemClock
from bartizan.core.errors import BadSettings
from bartizan.core.files import write_private
from bartizan.core.sections import Settings
from bartizan.ledger.flagged import FlaggedTexts


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    acts = parser.add_subparsers(title="acts", metavar="ACT", required=True)
    export = acts.add_parser("export", help="write the labelled texts as JSON lines (text, label, source, licence)")
    export.add_argument("file", type=Path, metavar="FILE", help="new file, for instance flagged.jsonl")
    export.add_argument("--licence", default="own", help="licence of the texts (default: own)")
    export.set_defaults(act=_export)
    acts.add_parser("list", help="count what waits and what is labelled").set_defaults(act=_list)


def _run(args: argparse.Namespace) -> int:
    settings = configured(args)
    if not settings.flagged.file:
        raise BadSettings("flagged.file is empty: no text is kept", hint="Name a file there, and restart the gateway.")
    with contextlib.closing(FlaggedTexts(settings.flagged, SystemClock())) as texts:
        code: int = args.act(args, texts, settings)
    return code


def _export(args: argparse.Namespace, texts: FlaggedTexts, settings: Settings) -> int:
    rows = sorted(texts.labelled(), key=lambda one: one.id)
    if not rows:
        raise BadSettings("no text has a label yet", hint="Reviewers label them on the dashboard's page.")
    if args.file.exists():
        raise BadSettings(f"{args.file}: is there already", hint="Name a new file; nothing is overwritten.")
    lines = [
        {"text": one.text, "label": int(one.label == "attack"), "source": "flagged", "licence": args.licence}
        for one in rows
    ]
    write_private(args.file, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode())
    attacks = sum(line["label"] for line in lines)
    note(settings, "flagged-exported", file=str(args.file), rows=len(lines), attacks=attacks, who="command line")
    print(f"wrote {args.file}: {len(lines)} rows, {attacks} of them labelled as attacks")
    print(f"let it in with: bartizan data admit {args.file} --name flagged --label label --source reviewers")
    print("it holds attacks back as what they are: bartizan data release flagged --who NAME --why REASON")
    print("train with it: bartizan detector train … --admitted flagged")
    return OK


def _list(args: argparse.Namespace, texts: FlaggedTexts, settings: Settings) -> int:
    del args, settings
    labelled = texts.labelled()
    attacks = sum(one.label == "attack" for one in labelled)
    waiting = len(texts.waiting(1_000_000))
    print(f"{waiting} wait for a label; {attacks} attacks and {len(labelled) - attacks} innocent are labelled")
    return OK


COMMAND = Command("flagged", "Export the flagged texts that people labelled.", _arguments, _run)

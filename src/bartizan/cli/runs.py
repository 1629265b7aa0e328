"""`bartizan runs`: the finished assessments, what changed between two of them, and which control did it."""

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bartizan.cli.base import FAILED, OK, Command, add_config, configured
from bartizan.core.display import visible
from bartizan.threats.compare import Comparison, compare
from bartizan.threats.history import kept, load


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    words = parser.add_subparsers(title="words", metavar="WORD", dest="word", required=True)
    words.add_parser("list", help="the finished assessments, the oldest first")
    diff = words.add_parser("diff", help="what changed between two of them; exit code 1 if a row is worse")
    for name, default in (("before", "last-1"), ("after", "last")):
        meaning = f"a kept run, a report.json, last, or last-N (default {default})"
        diff.add_argument(name, nargs="?", default=default, help=meaning)
    diff.add_argument("--json", action="store_true", help="print the comparison as JSON")


def _run(args: argparse.Namespace) -> int:
    folder = Path(configured(args).assess.history)
    console = Console()
    if args.word == "list":
        console.print(_listed(folder))
        return OK
    found = compare(load(folder, args.before), load(folder, args.after))
    if args.json:
        print(json.dumps(asdict(found), indent=2))
    else:
        for line in lines(found):
            console.print(Text(visible(line)))
    return FAILED if any(change.direction == "worse" for change in found.changes) else OK


def _listed(folder: Path) -> Table:
    table = Table(title=f"Assessments in {folder}", title_justify="left", pad_edge=False)
    for name in ("run", "target", "profile", "holds", "failed", "untested", "no claim", "took"):
        table.add_column(name, overflow="fold")
    for path in kept(folder):
        run = load(folder, str(path))
        states = [row["state"] for row in run["rows"]]
        counts = [str(states.count(state)) for state in ("holds", "failed", "untested", "no claim yet")]
        table.add_row(path.stem, _target(run), run.get("profile", "quick"), *counts, f"{run['duration_s']:.0f} s")
    return table


def _target(run: Mapping[str, Any]) -> Text:
    return Text(visible(f"{run['subject']['model']} at {run['subject']['url']}"))


def lines(found: Comparison) -> list[str]:
    """Return the comparison in sentences."""
    said = [f"{what} differs: {old} before, {new} now" for what, old, new in found.circumstances]
    said += [f"setting {name}: {old} before, {new} now" for name, old, new in found.settings]
    for change in found.changes:
        said.append(f"{change.threat} {change.name} is {change.direction}: {change.before} before, {change.after} now")
        said += [f"    because {control}" for control in change.controls]
        if not change.controls:
            said.append("    which control made the difference was not measured")
    if not found.changes:
        said.append("No row changed beyond its intervals.")
    return said


COMMAND = Command("runs", "List finished assessments, and what changed between two of them.", _arguments, _run)

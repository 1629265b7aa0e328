"""`bartizan lock`: what is approved, by whom, and whether it is still what lies on the disk."""

import argparse
import datetime
import json
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bartizan.cli.base import FAILED, OK, Command, add_config, configured
from bartizan.core.display import visible
from bartizan.supply.admission import lock as locks
from bartizan.supply.admission.guard import check
from bartizan.supply.admission.lock import Lock
from bartizan.supply.admission.opening import public_key


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument("--lock", type=Path, metavar="FILE", help="the lock (default: supply.lock_file)")
    parser.add_argument(
        "--key", type=Path, metavar="FILE", help="public key of the lock (default: beside the private one)"
    )
    parser.add_argument("--check", action="store_true", help="compare every artefact with the files on the disk")
    parser.add_argument("--json", action="store_true", help="the whole content as JSON")


def _run(args: argparse.Namespace) -> int:
    settings = configured(args)
    found = locks.read(args.lock or Path(settings.supply.lock_file), public_key(settings.supply, args.key))
    wrong = check(found, {}) if args.check else []
    if args.json:
        problems = [{"rule": one.rule, "why": one.why, "where": one.where} for one in wrong]
        shown = {"sequence": found.sequence, "artefacts": msgspec.to_builtins(found.artefacts), "problems": problems}
        print(json.dumps(shown, indent=2))
    else:
        Console().print(_table(found))
        for one in wrong:
            print(f"{one.rule}: {visible(one.where)}: {visible(one.why)}")
        if args.check and not wrong:
            print("every artefact is what was approved")
    return FAILED if wrong else OK


def _table(found: Lock) -> Table:
    table = Table(pad_edge=False, title=f"lock number {found.sequence}")
    for name in ("name", "version", "revision", "scan", "approved by", "when", "sha256"):
        table.add_column(name, overflow="fold")
    for name, artefact in found.artefacts.items():
        one = artefact.current
        when = datetime.datetime.fromtimestamp(one.admitted_ns / 1e9, datetime.UTC).date().isoformat()
        revision = f"{one.number} (again {one.rollback_of})" if one.rollback_of else str(one.number)
        people = ", ".join(approval.who for approval in one.approvals)
        row = (name, one.version, revision, one.verdict, people, when, one.root[:16] + "…")
        table.add_row(*(Text(visible(cell)) for cell in row))
    return table


COMMAND = Command("lock", "Show what is approved; with --check, whether it is what lies there.", _arguments, _run)
"""The list is signed: one that anybody changed is refused as a whole."""

"""`bartizan ledger verify | show | export | prove | erase`: the evidence, read and checked from the command line."""

import argparse
import datetime
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace

from bartizan.cli.base import FAILED, OK, Command, add_config, configured
from bartizan.core.clock import SystemClock
from bartizan.core.display import visible
from bartizan.core.errors import BadEvidence
from bartizan.core.sections.ledger import Ledger as Section
from bartizan.ledger import export
from bartizan.ledger.log import Entry, Ledger
from bartizan.ledger.tables.opening import must_exist
from bartizan.ledger.verify import Verified, verify


def _arguments(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(title="acts", metavar="ACT", required=True)
    for name, run, about in (
        ("verify", _verify, "Read every record and compare with the signed checkpoints."),
        ("show", _show, "Print records."),
        ("export", _export, "Write all records, contents and checkpoints as JSON lines."),
        ("prove", _prove, "Print the proof that one record is in the log."),
        ("erase", _erase, "Remove the content of one record for good; the log stays provable."),
    ):
        act = acts.add_parser(name, help=about, description=about)
        add_config(act)
        act.add_argument("--directory", type=Path, metavar="DIR", help="folder of the ledger (ledger.directory)")
        act.add_argument("--checkpoints", type=Path, metavar="FILE", help="checkpoint file (ledger.checkpoint_file)")
        act.set_defaults(run=run)
        if name == "verify":
            act.add_argument("--json", action="store_true", help="print the result as JSON")
        if name == "show":
            act.add_argument("--first", type=int, default=0, metavar="N", help="number of the first record")
            act.add_argument("--count", type=int, default=20, metavar="N", help="how many records")
            act.add_argument("--json", action="store_true", help="one JSON object a line, content included")
        if name == "export":
            act.add_argument("--output", type=Path, metavar="FILE", help="file to write (default: standard output)")
        if name in ("prove", "erase"):
            act.add_argument("seq", type=int, help="number of the record")
        if name == "erase":
            act.add_argument("--why", required=True, help="reason; it becomes a record itself")


def _verify(args: argparse.Namespace) -> int:
    result = verify(_place(args))
    if args.json:
        print(json.dumps(_as_json(result), indent=2))
    else:
        for problem in result.problems:
            print(f"PROBLEM record {problem.seq}: {problem.what}")
        print(
            f"{'intact' if result.intact else 'NOT intact'}: {result.records} records, {result.sealed} covered by "
            f"{result.checkpoints} checkpoints, {result.erased} erased\nroot {result.root.hex()}"
        )
    return OK if result.intact else FAILED


def _as_json(result: Verified) -> dict[str, object]:
    return {
        "intact": result.intact,
        "records": result.records,
        "sealed": result.sealed,
        "checkpoints": result.checkpoints,
        "erased": result.erased,
        "root": result.root.hex(),
        "problems": [{"seq": one.seq, "what": one.what} for one in result.problems],
    }


def _show(args: argparse.Namespace) -> int:
    with _opened(args) as ledger:
        for entry in ledger.entries(args.first, args.count):
            print(_json_line(entry) if args.json else _line(entry))
    return OK


def _line(entry: Entry) -> str:
    moment = datetime.datetime.fromtimestamp(entry.record.time_ns / 1e9, tz=datetime.UTC)
    body = "(erased)" if entry.body is None else visible(json.dumps(entry.body, ensure_ascii=False))
    shown = body if len(body) <= 160 else body[:157] + "…"
    return f"{entry.record.seq:>8}  {moment:%Y-%m-%d %H:%M:%S}  {entry.record.kind:<20}  {shown}"


def _json_line(entry: Entry) -> str:
    record = entry.record
    row = {"seq": record.seq, "time_ns": record.time_ns, "kind": record.kind, "body": entry.body}
    return json.dumps(row | {"leaf_hash": entry.leaf_hash.hex()})


def _export(args: argparse.Namespace) -> int:
    lines = export.lines(_place(args))
    if args.output is None:
        sys.stdout.writelines(lines)
        return OK
    try:
        with args.output.open("w", encoding="utf-8") as file:
            file.writelines(lines)
    except OSError as error:
        raise BadEvidence(f"{args.output}: cannot be written: {error}") from error
    print(f"wrote {args.output}; check it anywhere with: python standalone.py {args.output} KEY_FILE")
    return OK


def _prove(args: argparse.Namespace) -> int:
    with _opened(args) as ledger:
        print(json.dumps(export.proof(ledger, args.seq), indent=2))
    return OK


def _erase(args: argparse.Namespace) -> int:
    with _opened(args) as ledger:
        receipt = ledger.erase(args.seq, args.why)
        ledger.checkpoint()
    print(f"the content of record {args.seq} is gone; record {receipt.seq} says why")
    return OK


def _place(args: argparse.Namespace) -> Section:
    """Return the ledger that the settings name, with what the command line changes of it."""
    section = configured(args).ledger
    if args.directory:
        section = replace(section, directory=str(args.directory), database="")
    return replace(section, checkpoint_file=str(args.checkpoints)) if args.checkpoints else section


@contextmanager
def _opened(args: argparse.Namespace) -> Iterator[Ledger]:
    """Open an existing ledger; reading must not start an empty one."""
    section = _place(args)
    must_exist(section)
    ledger = Ledger.configured(section, SystemClock())
    try:
        yield ledger
    finally:
        ledger.close()


COMMAND = Command("ledger", "Verify, show, export, prove or erase records of the ledger.", _arguments, lambda args: OK)

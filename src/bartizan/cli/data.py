"""`bartizan data admit | review | release | verify | …`: which rows training may read, and whether they are intact."""

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from bartizan.cli import data_review
from bartizan.cli.base import FAILED, OK, Command, add_config, configured
from bartizan.cli.lines import Lines
from bartizan.core.clock import SystemClock
from bartizan.core.display import visible
from bartizan.core.errors import BadArtifact
from bartizan.core.messages import Text, Trust
from bartizan.core.sections import Settings
from bartizan.core.verdicts import Allow
from bartizan.data import croissant
from bartizan.data.admission import Admission, Admitted, Held, Request
from bartizan.data.checks.injections import Screen
from bartizan.data.comparison import Comparison
from bartizan.data.layout import look
from bartizan.data.manifest import Manifest, Provenance, file_digest
from bartizan.data.staging import DATA
from bartizan.data.store import Store, open_signer, verifier_key
from bartizan.data.verification import Verified, verify
from bartizan.detect.detectors import detectors
from bartizan.detect.judge import Judge
from bartizan.ledger.log import Ledger

_SHOWN = 50


def _arguments(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(title="acts", metavar="ACT", required=True)
    for name, run, fill, about in (
        ("admit", _admit, _admit_arguments, "Copy, measure and sign a data set; say what is different from before."),
        (
            "verify",
            _verify,
            _verify_arguments,
            "Check admitted data against its manifest; name every row that differs.",
        ),
        ("review", _review, data_review.review_arguments, "Show what waits in quarantine, row by row."),
        ("release", _release, data_review.release_arguments, "Let what waits into the trusted store."),
        ("reject", _reject, data_review.decision_arguments, "Remove what waits."),
        ("list", _list, _none, "List what is admitted."),
        ("show", _show, _show_arguments, "Show the manifest of a data set, or write it as Croissant."),
    ):
        act = acts.add_parser(name, help=about, description=about)
        add_config(act)
        fill(act)
        act.set_defaults(run=run)


def _none(parser: argparse.ArgumentParser) -> None:
    """Take no further arguments."""


def _admit_arguments(act: argparse.ArgumentParser) -> None:
    act.add_argument(
        "path", type=Path, metavar="PATH", help="CSV, Parquet, JSON lines, npz; folder of pictures or sounds"
    )
    act.add_argument("--source", metavar="NAME", help="where it comes from (required without --croissant)")
    act.add_argument("--name", help="name of the data set (default: that of the file or folder)")
    act.add_argument("--label", default="", metavar="COLUMN", help="column that holds the class (folders: the folder)")
    act.add_argument("--licence", default="", help="licence of the data")
    act.add_argument("--collector", default="", metavar="WHO", help="person or program that collected it")
    act.add_argument("--collected", default="", metavar="WHEN", help="when it was collected (ISO 8601)")
    act.add_argument("--step", action="append", default=[], metavar="TEXT", help="a transformation; once for each")
    act.add_argument("--derived-from", default="", metavar="ROOT", help="root of the admitted data set it is made from")
    act.add_argument("--croissant", type=Path, metavar="FILE", help="take provenance from Croissant metadata")
    act.add_argument("--json", action="store_true", help="one JSON object on standard output")


def _verify_arguments(act: argparse.ArgumentParser) -> None:
    act.add_argument("name", metavar="NAME", help="name of the data set")
    act.add_argument("--version", type=int, metavar="N", help="version (default: the latest)")
    act.add_argument("--path", type=Path, metavar="PATH", help="check this copy instead of the one in the store")
    act.add_argument("--key", type=Path, metavar="FILE", help="public key to trust (default: the one of data.key_file)")
    act.add_argument("--json", action="store_true", help="one JSON object on standard output")


def _show_arguments(act: argparse.ArgumentParser) -> None:
    act.add_argument("name", metavar="NAME", help="name of the data set")
    act.add_argument("--version", type=int, metavar="N", help="version (default: the latest)")
    act.add_argument("--croissant", action="store_true", help="write Croissant 1.0 metadata instead")


def _admit(args: argparse.Namespace) -> int:
    settings = configured(args)
    about = _provenance(args)
    request = Request(args.path, args.name or args.path.resolve().name.split(".")[0], about, args.label)
    with shown_progress(quiet=args.json) as progress, recording(settings) as record:
        admitted = _admission(settings, record, progress).admit(request)
    if isinstance(admitted, Held):
        if args.json:
            print(json.dumps({"held": True, "review": msgspec.to_builtins(admitted.review)}))
        else:
            data_review.print_held(admitted.manifest, admitted.review)
        return FAILED
    if args.json:
        print(json.dumps(_as_json(admitted)))
    else:
        _print_admitted(admitted)
    return OK


def _admission(settings: Settings, record: Any, progress: Any = lambda what, done, total: None) -> Admission:
    signer = open_signer(Path(settings.data.key_file), settings.data.origin)
    store = Store(Path(settings.data.store), signer.verifier_key())
    return Admission(store, Path(settings.data.quarantine), signer, SystemClock(), record, progress, screened())


def screened() -> Screen:
    """Return what looks for injections in the texts of a data set: the gateway's detectors, at 0.1 % false positives.

    A row is read as a document: whoever reads it was not meant to be given orders. They are loaded with the first text.
    """

    def screen(text: str) -> str:
        judged = Judge(detectors("0.1%")).judge(Text(text, Trust.WEB))
        if isinstance(judged.verdict, Allow):
            return ""
        worst = max(judged.findings, key=lambda one: one.score or 0.0)
        return f"an attack on whoever reads it: {worst.why}"

    return screen


def _review(args: argparse.Namespace) -> int:
    return data_review.review(_admission(configured(args), None), args)


def _release(args: argparse.Namespace) -> int:
    settings = configured(args)
    with recording(settings) as record:
        return data_review.decide(_admission(settings, record), args)


def _reject(args: argparse.Namespace) -> int:
    settings = configured(args)
    with recording(settings) as record:
        return data_review.refuse(_admission(settings, record), args)


def _provenance(args: argparse.Namespace) -> Provenance:
    about = Provenance(args.source or "")
    if args.croissant is not None:
        document = croissant.read(args.croissant)
        about = croissant.provenance(document, args.source or "")
        source = look(args.path)
        files = {name: file_digest(source.folder / name) for name, _, _ in source.files}
        wrong = croissant.disagreements(document, files)
        if wrong:
            raise BadArtifact(f"{args.croissant}: {'; '.join(wrong[:3])}", hint="These are not the files it describes.")
    if not about.source:
        raise BadArtifact(f"{args.path}: no source", hint="Say where it comes from with --source or --croissant.")
    given = {"licence": args.licence, "collector": args.collector, "collected": args.collected}
    given |= {"derived_from": args.derived_from, "steps": tuple(args.step)}
    return msgspec.structs.replace(about, **{key: value for key, value in given.items() if value})


@contextmanager
def recording(settings: Settings) -> Iterator[Any]:
    """Yield a function that puts a record into the operator's ledger, once for each admitted root."""
    ledger = Ledger.configured(settings.ledger, SystemClock())

    def record(kind: str, body: Mapping[str, Any]) -> None:
        known = ledger.latest(kind, 100) if kind == "data-admitted" else []
        if not any(entry.body is not None and entry.body.get("root") == body["root"] for entry in known):
            ledger.append(kind, body)

    try:
        yield record
        ledger.checkpoint()
    finally:
        ledger.close()


@contextmanager
def shown_progress(*, quiet: bool) -> Iterator[Any]:
    """Yield a function (what, done, total) that shows how far we are on standard error; in a log, now and then."""
    console = Console(stderr=True)
    if not quiet and not console.is_terminal:
        yield Lines().told
        return
    text = TextColumn("{task.description}")
    with Progress(text, BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn(), console=console,
                  transient=True, disable=quiet) as bar:  # fmt: skip
        tasks: dict[str, TaskID] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total or None)
            bar.update(tasks[what], completed=done)

        yield progress


def _as_json(admitted: Admitted) -> dict[str, Any]:
    head = admitted.manifest.head
    found = {
        "name": head.name,
        "version": head.version,
        "new": admitted.new,
        "resumed": admitted.resumed,
        "root": admitted.manifest.root.hex(),
        "rows": head.rows,
        "bytes": head.bytes,
        "folder": str(admitted.manifest.folder),
    }
    if admitted.comparison is not None:
        found["comparison"] = msgspec.to_builtins(admitted.comparison)
    return found


def _print_admitted(admitted: Admitted) -> None:
    head = admitted.manifest.head
    if not admitted.new:
        print(f"nothing new: {head.name} v{head.version} holds the same bytes from the same source")
        return
    resumed = " (an interrupted run was continued)" if admitted.resumed else ""
    print(f"admitted {head.name} v{head.version}: {head.rows} rows, {head.bytes} bytes, {head.files} files{resumed}")
    print(f"root {admitted.manifest.root.hex()}\nin   {admitted.manifest.folder}")
    if head.labels:
        print(f"classes: {', '.join(visible(one) for one in head.labels[:20])}")
    if admitted.comparison is not None:
        print("\n".join(compared(admitted.comparison)))


def compared(one: Comparison) -> list[str]:
    """Return what is different from the version before, line by line."""
    lines = [
        f"compared with v{one.before}: {one.rows_new} rows new, {one.rows_gone} gone, "
        f"{one.labels_changed} of {one.rows_compared} known rows have another class, "
        f"{one.near_duplicates} new rows are near-duplicates of known ones, {one.repeated} rows repeat another"
    ]
    lines += [f"  new column {visible(name)}" for name in one.new_columns]
    lines += [f"  lost column {visible(name)}" for name in one.lost_columns]
    for drift in one.drifts[:_SHOWN]:
        where = visible(drift.column) + (f" in class {visible(drift.label)}" if drift.label else "")
        lines.append(f"  drift of {where}: {drift.size:.2f} ({visible(drift.before)} -> {visible(drift.now)})")
    return lines


def _verify(args: argparse.Namespace) -> int:
    settings = configured(args)
    key = args.key.read_text(encoding="utf-8").strip() if args.key else verifier_key(Path(settings.data.key_file))
    manifest = Store(Path(settings.data.store), key).open(args.name, args.version)
    with shown_progress(quiet=args.json) as progress:
        result = verify(manifest, args.path or manifest.folder / DATA, progress)
    if args.json:
        found = [{"rule": o.rule, "file": o.file, "row": o.row, "why": o.why} for o in result.differences]
        head = manifest.head
        print(json.dumps({"name": head.name, "version": head.version, "verified": not found, "differences": found}))
    else:
        _print_verified(manifest, result)
    return FAILED if result.differences else OK


def _print_verified(manifest: Manifest, result: Verified) -> None:
    head = manifest.head
    for one in result.differences[:_SHOWN]:
        print(f"{one.rule}: {visible(one.file)}{', ' + one.row if one.row else ''}: {visible(one.why)}")
    if len(result.differences) > _SHOWN:
        print(f"… and {len(result.differences) - _SHOWN} more (all of them with --json)")
    if result.differences:
        counts = Counter(one.rule for one in result.differences)
        shown = ", ".join(f"{count} {rule}" for rule, count in counts.items())
        print(f"NOT VERIFIED: {head.name} v{head.version} is not what was admitted: {shown}")
    else:
        print(f"verified: all {head.rows} rows in {result.files} files ({result.bytes} bytes) of {head.name} "
              f"v{head.version} are what was admitted, and nothing else is there")  # fmt: skip


def _list(args: argparse.Namespace) -> int:
    settings = configured(args)
    store = Store(Path(settings.data.store), verifier_key(Path(settings.data.key_file)))
    for name in store.names():
        for version in store.versions(name):
            head = store.open(name, version).head
            print(f"{name} v{version}: {head.rows} rows of {head.format} from {visible(head.provenance.source)}")
    return OK


def _show(args: argparse.Namespace) -> int:
    settings = configured(args)
    manifest = Store(Path(settings.data.store), verifier_key(Path(settings.data.key_file))).open(
        args.name, args.version
    )
    if args.croissant:
        files = {name: file_digest(manifest.folder / DATA / name) for name in manifest.shards}
        print(json.dumps(croissant.written(manifest, files), indent=2))
    else:
        print(json.dumps(msgspec.to_builtins(manifest.head) | {"root": manifest.root.hex()}, indent=2))
    return OK


COMMAND = Command("data", "Admit data sets for training; verify and show them.", _arguments, lambda args: OK)

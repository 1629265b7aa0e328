"""`bartizan scan PATH…`: says of every file whether it may be loaded. Nothing that is scanned is ever run."""

import argparse
import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bartizan import __version__
from bartizan.cli.base import CANNOT, FAILED, OK, Command
from bartizan.cli.sign import read
from bartizan.core import sarif
from bartizan.core.clock import SystemClock
from bartizan.core.display import visible
from bartizan.core.errors import BadArtifact, BadSettings
from bartizan.core.findings import Severity
from bartizan.supply import signing
from bartizan.supply.admission import lock as locks
from bartizan.supply.admission.approved import Approved
from bartizan.supply.agents.skills import INTENT
from bartizan.supply.base import Scanned, Verdict
from bartizan.supply.jobs import scan_paths
from bartizan.supply.packages.osv import Database, audited

_COLOURS = {Verdict.CLEAN: "green", Verdict.REVIEW: "yellow", Verdict.UNREADABLE: "magenta", Verdict.BLOCK: "red"}
_LISTED = 50
"""Of more files than these, clean ones are only counted."""
_MEANINGS = {
    Verdict.CLEAN: "every byte is accounted for and nothing in it can act",
    Verdict.REVIEW: "nothing known to be hostile; a person should approve it",
    Verdict.UNREADABLE: "could not be read to its end: not checked, so not passed",
    Verdict.BLOCK: "loading it would run something nobody approved",
}


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="files, folders, packages, requirement and lock files"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a file on standard output")
    parser.add_argument("--sarif", type=Path, metavar="FILE", help="also write a SARIF 2.1.0 log")
    parser.add_argument("--osv", type=Path, metavar="PATH", help="audit packages against this copy of the OSV database")
    parser.add_argument("--osv-days", type=float, default=30, metavar="N", help="oldest copy that counts (default: 30)")
    parser.add_argument(
        "--jobs", type=int, choices=range(1, 65), default=1, metavar="N", help="scan in N processes (1 to 64)"
    )
    parser.add_argument(
        "--lock", type=Path, metavar="FILE", help="what this lock approves needs no review again (with --key)"
    )
    parser.add_argument(
        "--key", type=Path, metavar="FILE", help="public key of the lock; keep it out of what is scanned"
    )
    parser.add_argument("--strict", action="store_true", help="what needs review fails too")


def _run(args: argparse.Namespace) -> int:
    console = Console()
    results: list[Scanned] = []
    database = Database.open(args.osv) if args.osv is not None else None
    approved = _approved(args.lock, args.key)
    for path in args.paths:
        if not path.exists() and not path.is_symlink():
            raise BadArtifact(f"{path}: no such file or folder")
    for scanned in scan_paths(args.paths, args.jobs):
        days = args.osv_days
        result = scanned if database is None else audited(scanned, database, SystemClock(), max_age_days=days)
        result = result if approved is None else approved.lifted(result)
        results.append(result)
        if args.json:
            print(json.dumps(_as_json(result)))
    if not args.json:
        console.print(_table(results))
        _summary(console, results)
    if args.sarif is not None:
        try:
            args.sarif.write_text(json.dumps(_sarif(results), indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise BadArtifact(f"{args.sarif}: cannot be written: {error}") from error
    code = exit_code(results, strict=args.strict)
    if database is not None and not any(result.packages for result in results):
        print("bartizan: no package found, so nothing was audited", file=sys.stderr)
        return code or CANNOT
    return code


def _approved(lock: Path | None, key: Path | None) -> Approved | None:
    """Return what the lock approves. Its key is named: one that lay in the scanned folder would prove nothing."""
    if (lock is None) != (key is None):
        raise BadSettings("--lock and --key: expected both", hint="The key is written beside supply.key_file, as .pub.")
    if lock is None or key is None:
        return None
    if not lock.exists():
        raise BadSettings(f"{lock}: no such lock")
    return Approved.of(locks.read(lock, signing.public_key(read(key))))


def exit_code(results: list[Scanned], *, strict: bool) -> int:
    """Return 1 when something is blocked (or to be reviewed, if strict), 2 when something was not checked, else 0."""
    worst = {result.verdict for result in results}
    if Verdict.BLOCK in worst or (strict and Verdict.REVIEW in worst):
        return FAILED
    return CANNOT if Verdict.UNREADABLE in worst or not results else OK


def _as_json(result: Scanned) -> dict[str, object]:
    return {
        "path": result.path,
        "format": result.format,
        "verdict": result.verdict.name,
        "findings": [
            {"rule": one.rule, "severity": one.severity.name, "why": one.why, "where": one.where}
            for one in result.findings
        ],
        "globals": list(result.globals),
        "packages": [{"ecosystem": one.ecosystem, "name": one.name, "version": one.version} for one in result.packages],
    }


def _table(results: list[Scanned]) -> Table:
    table = Table(pad_edge=False)
    for name in ("verdict", "file", "format", "why"):
        table.add_column(name, overflow="fold")
    listed = results if len(results) <= _LISTED else [one for one in results if one.verdict is not Verdict.CLEAN]
    for result in sorted(_grouped(listed), key=lambda one: (-one.verdict, one.path)):
        worst = sorted(result.findings, key=lambda one: (-one.severity, one.rule != "pickle-call"))
        why = visible(worst[0].why) + (f" (and {len(worst) - 1} more)" if len(worst) > 1 else "") if worst else ""
        verdict = Text(result.verdict.name, style=_COLOURS[result.verdict])
        table.add_row(verdict, Text(visible(result.path)), Text(visible(result.format)), Text(why))
    return table


def _grouped(results: list[Scanned]) -> list[Scanned]:
    """Put texts that only have to be read into one row a folder: a collection of skills has hundreds."""
    rows: list[Scanned] = []
    folders: dict[str, list[Scanned]] = {}
    for result in results:
        serious = {one.rule for one in result.findings if one.severity >= Severity.MEDIUM}
        if serious == {INTENT}:
            folders.setdefault(result.path.rpartition("/")[0], []).append(result)
        else:
            rows.append(result)
    for folder, texts in folders.items():
        name = f"{folder}/ ({len(texts)} files)" if len(texts) > 1 else texts[0].path
        rows.append(replace(texts[0], path=name))
    return rows


def _summary(console: Console, results: list[Scanned]) -> None:
    if not results:
        console.print("No file found: nothing was checked.")
    if len(results) > _LISTED:
        console.print("Clean files are not listed; --json lists every one.")
    for verdict, count in sorted(Counter(result.verdict for result in results).items(), reverse=True):
        console.print(Text(f"{count:>6} {verdict.name:<10} {_MEANINGS[verdict]}", style=_COLOURS[verdict]))


def _sarif(results: list[Scanned]) -> dict[str, object]:
    found = [(result, one) for result in results for one in result.findings]
    rules = {
        one.rule: sarif.Rule(one.rule, one.rule, one.rule.replace("-", " "), one.why, "Do not load it; ask its source.")
        for _, one in found
    }
    levels: dict[Severity, sarif.Level] = {
        Severity.HIGH: "error",
        Severity.CRITICAL: "error",
        Severity.MEDIUM: "warning",
    }
    entries = [
        sarif.Result(one.rule, levels.get(one.severity, "note"), f"{one.why} ({one.where})", result.path, one.why)
        for result, one in found
    ]
    read = all(result.verdict is not Verdict.UNREADABLE for result in results) and bool(results)
    return sarif.log(__version__, list(rules.values()), entries, finished=read)


COMMAND = Command("scan", "Say of models, archives and packages whether they may be loaded.", _arguments, _run)

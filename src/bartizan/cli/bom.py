"""`bartizan bom PATH…`: the bill of materials of a project (CycloneDX 1.6): models, data, packages, servers, skills."""

import argparse
import json
from collections import Counter
from pathlib import Path

from bartizan.cli.base import OK, Command, add_config, configured
from bartizan.cli.sign import read
from bartizan.core.clock import SystemClock
from bartizan.core.errors import BadArtifact
from bartizan.core.sections import Settings
from bartizan.data.store import Store, public_key_file, verifier_key
from bartizan.supply.admission import lock as locks
from bartizan.supply.admission.opening import public_key
from bartizan.supply.bom import DataSet, Materials, analyses_of, document
from bartizan.supply.packages.osv import Database
from bartizan.supply.scan import scan_path


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="what the project consists of")
    parser.add_argument("--name", help="name of the project (default: the first path's)")
    parser.add_argument("--osv", type=Path, metavar="PATH", help="copy of the OSV database: known vulnerabilities")
    parser.add_argument("--vex", type=Path, metavar="FILE", help="what you found out about them, by advisory id (JSON)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="where to write it (default: standard output)")


def _run(args: argparse.Namespace) -> int:
    settings = configured(args)
    materials = Materials(data=_data_sets(settings), approved=_approved(settings))
    if args.osv is not None:
        materials.database = Database.open(args.osv)
    if args.vex is not None:
        materials.analyses = analyses_of(read(args.vex).decode("utf-8", "replace"), str(args.vex))
    for path in args.paths:
        if not path.exists():
            raise BadArtifact(f"{path}: no such file or folder")
        materials.scanned += scan_path(path)
    whole = document(args.name or args.paths[0].resolve().name, materials, SystemClock())
    text = json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
    if args.output is None:
        print(text, end="")
        return OK
    try:
        args.output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadArtifact(f"{args.output}: cannot be written: {error}") from error
    kinds = Counter(one["type"] for one in whole["components"])
    shown = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    print(f"wrote {args.output}: {shown or 'nothing'}; {len(whole.get('vulnerabilities', []))} vulnerabilities")
    return OK


def _data_sets(settings: Settings) -> list[DataSet]:
    """Return what the data store holds, where there is one on this machine."""
    if not public_key_file(Path(settings.data.key_file)).exists():
        return []
    store = Store(Path(settings.data.store), verifier_key(Path(settings.data.key_file)))
    found = []
    for name in store.names():
        for version in store.versions(name):
            manifest = store.open(name, version)
            about = manifest.head.provenance
            found.append(DataSet(name, str(version), manifest.root.hex(), about.source, about.licence))
    return found


def _approved(settings: Settings) -> frozenset[str]:
    path = Path(settings.supply.lock_file)
    if not path.exists():
        return frozenset()
    return frozenset(locks.read(path, public_key(settings.supply)).file_digests())


COMMAND = Command(
    "bom", "Write the bill of materials (CycloneDX 1.6): models, data, packages, servers.", _arguments, _run
)

"""`bartizan verify PATH --key PUBLIC`: says whether a model is what was signed, and names each file that is not."""

import argparse
import json
from pathlib import Path

from bartizan.cli.base import FAILED, OK, Command
from bartizan.cli.sign import default_signature, read
from bartizan.core.display import visible
from bartizan.core.errors import BadArtifact, BadEvidence
from bartizan.core.findings import Finding, Severity
from bartizan.supply import signing
from bartizan.supply.manifest import differences, measure


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", type=Path, metavar="PATH", help="the model: a file or a folder")
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--key", type=Path, help="public key of the signer (PEM)")
    who.add_argument("--roots", type=Path, metavar="FILE", help="certificates of the authorities you trust (PEM)")
    parser.add_argument("--signature", type=Path, metavar="FILE", help="the signature (default: PATH.sig)")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def _run(args: argparse.Namespace) -> int:
    signature = args.signature or default_signature(args.path)
    trust: signing.Trust
    if args.key is not None:
        trust = signing.TrustedKey(signing.public_key(read(args.key)))
    else:
        trust = signing.TrustedRoots(signing.certificates(read(args.roots)))
    bundle = read(signature, "Name it with --signature; an unsigned model cannot be verified.")
    wrong, files = _checked(args.path, signature, bundle, trust)
    if args.json:
        found = [{"rule": one.rule, "why": one.why, "where": one.where} for one in wrong]
        print(json.dumps({"path": str(args.path), "verified": not wrong, "files": files, "findings": found}))
    elif wrong:
        for one in wrong:
            print(f"{one.rule}: {visible(one.where)}: {visible(one.why)}")
        print(f"NOT VERIFIED: {args.path} is not what was signed")
    else:
        print(f"verified: all {files} files of {args.path} are what was signed, and nothing else is there")
    return FAILED if wrong else OK


def _checked(path: Path, signature: Path, bundle: bytes, trust: signing.Trust) -> tuple[list[Finding], int]:
    try:
        signed = signing.verify(bundle, trust)
    except BadEvidence as error:
        return [Finding("signature-invalid", Severity.CRITICAL, str(error), str(signature))], 0
    if not path.exists():
        raise BadArtifact(f"{path}: no such file or folder")
    try:
        found = measure(path, signature=signature)
    except BadArtifact as error:
        return [Finding("artefact-unreadable", Severity.CRITICAL, str(error), str(path))], len(signed.digests)
    return differences(signed, found), len(signed.digests)


COMMAND = Command("verify", "Check a model against its signature; name every file that differs.", _arguments, _run)

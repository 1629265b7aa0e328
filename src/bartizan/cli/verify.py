"""`bartizan verify PATH --key PUBLIC`: says whether a model is what was signed, and names each file that is not.

`--roots` takes certificate authorities instead, `--identity` a keyless signature (Sigstore), offline.
"""

import argparse
import json
from pathlib import Path

from bartizan.cli.base import FAILED, OK, Command
from bartizan.cli.sign import default_signature, read
from bartizan.core.display import visible
from bartizan.core.errors import BadArtifact, BadEvidence, BadSettings
from bartizan.core.findings import Finding, Severity
from bartizan.supply import keyless, signing
from bartizan.supply.keyless import TrustedIdentity
from bartizan.supply.manifest import Manifest, differences, measure


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", type=Path, metavar="PATH", help="the model: a file or a folder")
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--key", type=Path, help="public key of the signer (PEM)")
    who.add_argument("--roots", type=Path, metavar="FILE", help="certificates of the authorities you trust (PEM)")
    who.add_argument("--identity", metavar="WHO", help="keyless: the signer, an e-mail address or a workflow's URI")
    parser.add_argument("--issuer", metavar="URL", help="keyless: who vouched for the identity")
    parser.add_argument("--trusted-root", type=Path, metavar="FILE", help="keyless: Sigstore's trusted_root.json")
    parser.add_argument("--signature", type=Path, metavar="FILE", help="the signature (default: PATH.sig)")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def _run(args: argparse.Namespace) -> int:
    signature = args.signature or default_signature(args.path)
    trust = _trust(args)
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


def _trust(args: argparse.Namespace) -> signing.Trust | TrustedIdentity:
    keyless_only = args.issuer is not None or args.trusted_root is not None
    if args.identity is not None:
        if args.issuer is None or args.trusted_root is None:
            hint = "Anybody can get a certificate for any identity from an issuer of their own: name both."
            raise BadSettings("--identity: expected --issuer and --trusted-root as well", hint=hint)
        return TrustedIdentity(args.identity, args.issuer, args.trusted_root)
    if keyless_only:
        raise BadSettings("--issuer and --trusted-root: expected only with --identity")
    if args.key is not None:
        return signing.TrustedKey(signing.public_key(read(args.key)))
    return signing.TrustedRoots(signing.certificates(read(args.roots)))


def _signed(bundle: bytes, trust: signing.Trust | TrustedIdentity) -> Manifest:
    if isinstance(trust, TrustedIdentity):
        return keyless.verify(bundle, trust)
    return signing.verify(bundle, trust)


def _checked(
    path: Path, signature: Path, bundle: bytes, trust: signing.Trust | TrustedIdentity
) -> tuple[list[Finding], int]:
    try:
        signed = _signed(bundle, trust)
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

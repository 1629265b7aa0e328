"""`bartizan sign PATH --key KEY`: signs every file of a model, so that everybody with the public key can check them.

`--keyless` signs with an identity instead (Sigstore): it needs the network and the extra `sigstore`.
"""

import argparse
import json
from pathlib import Path

from bartizan.cli.base import OK, Command
from bartizan.core.errors import BadArtifact, BadSettings
from bartizan.supply import keyless, signing
from bartizan.supply.manifest import Manifest, measure

_KEY_HINT = "Make one: openssl ecparam -name prime256v1 -genkey -noout -out key.pem"


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", type=Path, metavar="PATH", help="the model: a file or a folder")
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--key", type=Path, help="private key (PEM, P-256, P-384 or P-521)")
    how.add_argument("--keyless", action="store_true", help="sign with an identity (Sigstore); it becomes public")
    parser.add_argument("--token", type=Path, metavar="FILE", help="keyless: identity token (default: the CI job's)")
    parser.add_argument(
        "--trust-config", type=Path, metavar="FILE", help="keyless: services to use (default: Sigstore's public ones)"
    )
    parser.add_argument(
        "--certificate", type=Path, metavar="FILE", help="certificate of the key, then those between it and the root"
    )
    parser.add_argument("--signature", type=Path, metavar="FILE", help="where to write it (default: PATH.sig)")


def _run(args: argparse.Namespace) -> int:
    target = args.signature or default_signature(args.path)
    manifest = measure(args.path, signature=target)
    bundle = _keyless(args, manifest) if args.keyless else _with_key(args, manifest)
    try:
        target.write_text(bundle + "\n", encoding="utf-8")
    except OSError as error:
        raise BadArtifact(f"{target}: cannot be written: {error}") from error
    print(f"signed {len(manifest.digests)} files of {manifest.name}: sha256 {manifest.root()}\nwrote {target}")
    return OK


def _with_key(args: argparse.Namespace, manifest: Manifest) -> str:
    if args.token is not None or args.trust_config is not None:
        raise BadSettings("--token and --trust-config: expected only with --keyless")
    key = signing.private_key(read(args.key, _KEY_HINT))
    chain = signing.certificates(read(args.certificate)) if args.certificate else ()
    return json.dumps(signing.sign(manifest, key, chain))


def _keyless(args: argparse.Namespace, manifest: Manifest) -> str:
    if args.certificate is not None:
        raise BadSettings("--certificate: expected only with --key")
    token = read(args.token).decode("utf-8", "replace").strip() if args.token is not None else keyless.ambient_token()
    return keyless.sign(manifest, token, args.trust_config).decode()


def default_signature(path: Path) -> Path:
    """Return where the signature of `path` lies when nothing else is said: beside it."""
    whole = path.resolve()
    return whole.with_name(whole.name + ".sig")


def read(path: Path, hint: str = "") -> bytes:
    """Return the content of a file that the operator named."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadSettings(f"{path}: cannot be read: {error.strerror or error}", hint=hint) from error


COMMAND = Command("sign", "Sign a model's files (OpenSSF model-signing format).", _arguments, _run)

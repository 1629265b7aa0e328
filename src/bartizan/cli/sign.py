"""`bartizan sign PATH --key KEY`: signs every file of a model, so that everybody with the public key can check them."""

import argparse
import json
from pathlib import Path

from bartizan.cli.base import OK, Command
from bartizan.core.errors import BadArtifact, BadSettings
from bartizan.supply import signing
from bartizan.supply.manifest import measure

_KEY_HINT = "Make one: openssl ecparam -name prime256v1 -genkey -noout -out key.pem"


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", type=Path, metavar="PATH", help="the model: a file or a folder")
    parser.add_argument("--key", type=Path, required=True, help="private key (PEM, P-256, P-384 or P-521)")
    parser.add_argument(
        "--certificate", type=Path, metavar="FILE", help="certificate of the key, then those between it and the root"
    )
    parser.add_argument("--signature", type=Path, metavar="FILE", help="where to write it (default: PATH.sig)")


def _run(args: argparse.Namespace) -> int:
    target = args.signature or default_signature(args.path)
    key = signing.private_key(read(args.key, _KEY_HINT))
    chain = signing.certificates(read(args.certificate)) if args.certificate else ()
    manifest = measure(args.path, signature=target)
    bundle = signing.sign(manifest, key, chain)
    try:
        target.write_text(json.dumps(bundle) + "\n", encoding="utf-8")
    except OSError as error:
        raise BadArtifact(f"{target}: cannot be written: {error}") from error
    print(f"signed {len(manifest.digests)} files of {manifest.name}: sha256 {manifest.root()}\nwrote {target}")
    return OK


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

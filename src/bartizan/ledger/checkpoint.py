"""Signed checkpoints in the C2SP signed-note form: who says that a log had this size and this root.

A checkpoint is worth what its place is worth: it must stand where whoever can rewrite the database cannot rewrite it.
The signature is Ed25519 (RFC 8032); the text is `origin`, size and base64 root (C2SP tlog-checkpoint, signed-note).
"""

import base64
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from bartizan.core.errors import BadEvidence

_ED25519 = b"\x01"
_TAIL = 65536
_NOTE = re.compile(
    r"(?P<text>(?P<origin>[^\n]+)\n(?P<size>\d{1,18})\n(?P<root>[A-Za-z0-9+/]{43}=)\n)"
    r"\n(?P<lines>(?:— [^\n]+\n)+)"
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed statement about a log. `str()` is the note as it is written and published."""

    origin: str
    size: int
    root: bytes
    note: str

    def __str__(self) -> str:
        """Return the signed note."""
        return self.note


class Signer:
    """The log's private key. Kept in a file of mode 0600; made on first use."""

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        """Sign as `name`, which must hold no space and no plus sign (C2SP signed-note)."""
        if not re.fullmatch(r"[^\s+]+", name):
            raise BadEvidence(f"key name {name!r}: expected a name without spaces and without +")
        self.name = name
        self._key = key

    @staticmethod
    def open(path: Path, name: str) -> "Signer":
        """Read the key at `path`, or make one there. The file is never readable by others, not even for a moment."""
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return Signer(name, _read_key(path))
        key = Ed25519PrivateKey.generate()
        with os.fdopen(handle, "wb") as file:
            file.write(base64.b64encode(key.private_bytes_raw()) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        return Signer(name, key)

    def sign(self, size: int, root: bytes, origin: str = "") -> Checkpoint:
        """Return the signed checkpoint of a log (or any tree) of `size` records with `root`.

        `origin` names the tree and is the signer's own name when empty: one key may sign several trees.
        """
        named = origin or self.name
        if "\n" in named:
            raise BadEvidence(f"origin {named!r}: expected one line")
        text = f"{named}\n{size}\n{base64.b64encode(root).decode()}\n"
        signature = key_hash(self.name, self._public()) + self._key.sign(text.encode())
        note = f"{text}\n— {self.name} {base64.b64encode(signature).decode()}\n"
        return Checkpoint(named, size, root, note)

    def verifier_key(self) -> str:
        """Return the public key in the note form `name+hash+base64`."""
        public = self._public()
        return f"{self.name}+{key_hash(self.name, public).hex()}+{base64.b64encode(_ED25519 + public).decode()}"

    def _public(self) -> bytes:
        return self._key.public_key().public_bytes_raw()


def key_hash(name: str, public: bytes) -> bytes:
    """Return the four bytes that name a key in a signature line."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def read_notes(text: str, verifier_key: str) -> list[Checkpoint]:
    """Return every checkpoint in `text`, all signatures checked. Raises BadEvidence at the first that does not hold."""
    name, public = _parse_verifier_key(verifier_key)
    notes: list[Checkpoint] = []
    done = 0
    for match in _NOTE.finditer(text):
        if text[done : match.start()].strip():
            break
        notes.append(_checked(match, name, public))
        done = match.end()
    if text[done:].strip():
        raise BadEvidence(f"checkpoint {len(notes) + 1} is not a signed note: {text[done : done + 60]!r}")
    return notes


def last_note(path: Path, verifier_key: str) -> Checkpoint | None:
    """Return the last checkpoint in the file at `path`, its signature checked; None when there is none yet.

    Reads the end of the file only. Raises BadEvidence when the signature does not hold.
    """
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL))
            tail = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    name, public = _parse_verifier_key(verifier_key)
    found = list(_NOTE.finditer(tail))
    return _checked(found[-1], name, public) if found else None


def _checked(match: "re.Match[str]", name: str, public: bytes) -> Checkpoint:
    wanted = key_hash(name, public)
    for line in match["lines"].splitlines():
        words = line.removeprefix("— ").rsplit(" ", 1)
        raw = _base64(words[-1])
        if len(words) == 2 and words[0] == name and raw[:4] == wanted:
            try:
                Ed25519PublicKey.from_public_bytes(public).verify(raw[4:], match["text"].encode())
            except InvalidSignature:
                raise BadEvidence(
                    f"checkpoint of size {match['size']}: the signature by {name} does not hold"
                ) from None
            return Checkpoint(match["origin"], int(match["size"]), base64.b64decode(match["root"]), match[0])
    raise BadEvidence(f"checkpoint of size {match['size']} carries no signature by {name}")


def _parse_verifier_key(text: str) -> tuple[str, bytes]:
    parts = text.strip().split("+", 2)
    raw = _base64(parts[2]) if len(parts) == 3 else b""
    if len(raw) != 33 or raw[:1] != _ED25519 or key_hash(parts[0], raw[1:]).hex() != parts[1]:
        raise BadEvidence(f"verifier key {text.strip()[:60]!r}: expected name+hash+base64 of an Ed25519 key")
    return parts[0], raw[1:]


def _read_key(path: Path) -> Ed25519PrivateKey:
    try:
        return Ed25519PrivateKey.from_private_bytes(_base64(path.read_text(encoding="ascii").strip()))
    except (OSError, ValueError) as error:
        raise BadEvidence(f"{path}: not a ledger key: {error}", hint="Restore it from a backup.") from error


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""

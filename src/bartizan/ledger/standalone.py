"""Verifies an exported ledger without Bartizan: the standard library and `cryptography`, nothing else.

    python standalone.py EXPORT.jsonl [VERIFIER_KEY_FILE [CHECKPOINT_FILE]]

Checks every record's content against its commitment, the order, the RFC 6962 tree over all records, and every signed
checkpoint (C2SP signed note, Ed25519). Give the verifier key and the checkpoints from a place you trust: those inside
the export only show that the export agrees with itself. Exit code 0 intact, 1 not, 2 not an export.
"""

import base64
import hashlib
import json
import sys
from collections.abc import Iterable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "bartizan-ledger-export/1"


class NotAnExport(Exception):
    """The input is not what it should be."""


def verify(source: Iterable[str], trusted_key: str = "", trusted_notes: str = "") -> tuple[list[str], int, int]:
    """Return (problems, number of records, records that a checkpoint covers)."""
    rows = (_row(number, line) for number, line in enumerate(source, 1))
    head = next(rows, {})
    if head.get("format") != FORMAT:
        raise NotAnExport(f"expected a first line with format {FORMAT}")
    name, public = _key(trusted_key or str(head.get("key", "")))
    tree = _Tree()
    problems: list[str] = []
    if trusted_key and head.get("key") != trusted_key.strip():
        problems.append("the export names another key than the trusted one")
    sealed: dict[int, bytes] = {}
    for note in _notes(trusted_notes):
        problems += _note_problems(note, name, public, sealed)
    contents = _Contents(problems)
    for row in rows:
        if "checkpoint" in row:
            if tree.size:
                problems.append("a checkpoint stands after the first record")
            problems += _note_problems(str(row["checkpoint"]), name, public, sealed)
            continue
        record = _bytes(row, "record")
        contents.check(row, record, tree.size)
        tree.append(record)
        if tree.size in sealed and tree.root() != sealed[tree.size]:
            below = [size for size in sealed if size < tree.size]
            problems.append(f"records {max(below, default=0)} to {tree.size - 1} are not the ones that were sealed")
            sealed = {size: root for size, root in sealed.items() if size < tree.size}
    contents.finish()
    largest = max(sealed, default=0)
    if largest > tree.size:
        problems.append(f"a checkpoint says {largest} records, there are {tree.size}: the end was cut off")
    return problems, tree.size, max((size for size in sealed if size <= tree.size), default=0)


class _Tree:
    """The right edge of the RFC 6962 tree: one hash for each set bit of the size."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[bytes] = []

    def append(self, record: bytes) -> None:
        """Add a record."""
        node, size = hashlib.sha256(b"\x00" + record).digest(), self.size
        while size & 1:
            node = hashlib.sha256(b"\x01" + self._edge.pop() + node).digest()
            size >>= 1
        self._edge.append(node)
        self.size += 1

    def root(self) -> bytes:
        """Return the root."""
        root = self._edge[-1]
        for left in reversed(self._edge[:-1]):
            root = hashlib.sha256(b"\x01" + left + root).digest()
        return root


class _Contents:
    """Compares records with their places and contents with their commitments."""

    def __init__(self, problems: list[str]) -> None:
        self._problems = problems
        self._erased: set[int] = set()
        self._missing: list[int] = []

    def check(self, row: dict[str, object], record: bytes, seq: int) -> None:
        """Look at one record."""
        try:
            read = json.loads(record)
            commitment, kind, said = read["commitment"], read["kind"], read["seq"]
        except (ValueError, KeyError, TypeError):
            self._problems.append(f"record {seq}: cannot be read")
            return
        if (said, row.get("seq")) != (seq, seq):
            self._problems.append(f"record {said} stands in the place of {seq}")
        if "body" not in row:
            self._missing.append(seq)
            return
        body = _bytes(row, "body")
        if hashlib.sha256(_bytes(row, "salt") + body).hexdigest() != commitment:
            self._problems.append(f"record {seq}: the content does not match its commitment")
        elif kind == "erased":
            self._erased.add(int(json.loads(body)["seq"]))

    def finish(self) -> None:
        """Name contents that went without a record of it."""
        for seq in self._missing:
            if seq not in self._erased:
                self._problems.append(f"record {seq}: the content is missing and no record erased it")


def _notes(text: str) -> list[str]:
    """Split a checkpoint file into its notes."""
    parts = [part for part in text.split("\n\n") if part.strip()]
    return ["\n\n".join(parts[at : at + 2]) for at in range(0, len(parts), 2)]


def _note_problems(note: str, name: str, public: bytes, wanted_sizes: dict[int, bytes]) -> list[str]:
    text, _, signatures = note.partition("\n\n")
    lines = text.split("\n")
    if len(lines) != 3 or not lines[1].isdigit():
        return [f"a checkpoint that is none: {note[:60]!r}"]
    for line in signatures.splitlines():
        words = line.split(" ")
        if len(words) != 3 or words[0] != "—" or words[1] != name:
            continue
        raw = _base64(words[2])
        if raw[:4] != _key_hash(name, public):
            continue
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(raw[4:], (text + "\n").encode())
        except InvalidSignature:
            return [f"the signature of the checkpoint of {lines[1]} records does not hold"]
        wanted_sizes[int(lines[1])] = _base64(lines[2])
        return []
    return [f"the checkpoint of {lines[1]} records carries no signature by {name}"]


def _key(text: str) -> tuple[str, bytes]:
    parts = text.strip().split("+", 2)
    raw = _base64(parts[2]) if len(parts) == 3 else b""
    if len(raw) != 33 or raw[0] != 1 or _key_hash(parts[0], raw[1:]).hex() != parts[1]:
        raise NotAnExport("expected a verifier key name+hash+base64 of an Ed25519 key")
    return parts[0], raw[1:]


def _key_hash(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]


def _row(number: int, line: str) -> dict[str, object]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise NotAnExport(f"line {number} is not JSON: {error}") from error
    if not isinstance(row, dict):
        raise NotAnExport(f"line {number} is not an object")
    return row


def _bytes(row: dict[str, object], name: str) -> bytes:
    return _base64(str(row.get(name, "")))


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def main(words: list[str]) -> int:
    """Verify the file named on the command line and say what was found."""
    if not 1 <= len(words) <= 3:
        sys.stderr.write("usage: standalone.py EXPORT.jsonl [VERIFIER_KEY_FILE [CHECKPOINT_FILE]]\n")
        return 2
    try:
        trusted = [_read(path) for path in words[1:]]
        with open(words[0], encoding="utf-8") as file:
            problems, records, sealed = verify(file, *trusted)
    except (NotAnExport, OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"cannot verify: {error}\n")
        return 2
    for problem in problems[:100]:
        sys.stdout.write(f"PROBLEM {problem}\n")
    verdict = "NOT intact" if problems else "intact"
    sys.stdout.write(f"{verdict}: {records} records, {sealed} of them covered by a checkpoint\n")
    if len(words) < 3:
        sys.stdout.write("note: give the key and the checkpoints from a place you trust to be sure whose log it is\n")
    return 1 if problems else 0


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

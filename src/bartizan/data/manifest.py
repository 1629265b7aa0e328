"""What an admitted data set is: a head, its shards, and the signed root of a Merkle tree over both.

Leaf 0 of the tree is the head (`manifest.json`, byte for byte); the other leaves are the lines of `shards.jsonl`. The
note is a C2SP checkpoint of that tree (`ledger/checkpoint.py`), so one signature covers provenance, schema, statistics
and every byte of the data, and any single shard can be proved to belong to it. Sidecars (row digests, keys, labels,
the sample) are bound by their SHA-256 in the head.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from bartizan.core.errors import BadEvidence, BadSettings
from bartizan.data.statistics import Column
from bartizan.ledger import merkle
from bartizan.ledger.checkpoint import Signer, read_notes

HEAD, SHARDS, NOTE = "manifest.json", "shards.jsonl", "manifest.note"
ROWS, KEYS, LABELS, SAMPLE = "rows.bin", "keys.bin", "labels.bin", "sample.jsonl"
SIDECARS = (ROWS, KEYS, LABELS, SAMPLE)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Provenance(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where the rows come from and what was done to them. Everything but `source` may be unknown (empty)."""

    source: str
    licence: str = ""
    collector: str = ""
    collected: str = ""
    """When, as ISO 8601."""
    steps: tuple[str, ...] = ()
    """The transformations since collection, in order."""
    derived_from: str = ""
    """Root (hex) of the admitted data set that this one was made from."""
    description: str = ""
    url: str = ""


class Shard(msgspec.Struct, frozen=True):
    """A run of bytes of one file. In text formats it begins and ends with a row; a picture or sound is one shard."""

    file: str
    offset: int
    bytes: int
    rows: int
    """Rows in it, where rows are runs of bytes; 0 where they are not (Parquet, npz)."""
    sha256: str


class Table(msgspec.Struct, frozen=True):
    """A sequence of rows: a file, the arrays of equal length in an npz file, or a folder of pictures or sounds."""

    name: str
    file: str
    rows: int


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything about a version but its bytes."""

    name: str
    version: int
    format: str
    files: int
    bytes: int
    rows: int
    admitted_ns: int
    provenance: Provenance
    tables: tuple[Table, ...]
    label: str
    """Column that holds the class, or empty."""
    labels: tuple[str, ...]
    """The classes in the order of their numbers in `labels.bin`."""
    columns: dict[str, Column]
    sidecars: dict[str, str]
    previous: str = ""
    """Root (hex) of the version before."""
    held: int = 0
    """Rows that were kept back in quarantine."""
    written_with: dict[str, str] = {}
    """Versions of the libraries that row digests of Parquet files depend on."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A version whose signature held: its head, shards by file, the root, and the folder it lies in."""

    head: Head
    shards: dict[str, list[Shard]]
    root: bytes
    folder: Path


def check_name(name: str) -> str:
    """Return `name` if it can name a data set, else raise BadSettings."""
    if not _NAME.fullmatch(name):
        raise BadSettings(f"data set name {name!r}: expected letters, digits, dot, dash, underscore (100 at most)")
    return name


def origin(signer_name: str, name: str, version: int) -> str:
    """Return what the signed note is about: who signs, which data set, which version."""
    return f"{signer_name}/{name}/v{version}"


def encode(value: Any) -> bytes:
    """Return one line of JSON without its line break."""
    return msgspec.json.encode(value)


def tree_root(folder: Path) -> tuple[int, bytes]:
    """Return size and root of the tree over the head and the shards as they stand in `folder`."""
    edge = merkle.Edge()
    try:
        edge.add(merkle.leaf_hash((folder / HEAD).read_bytes()))
        for line in _lines(folder / SHARDS):
            edge.add(merkle.leaf_hash(line))
    except OSError as error:
        raise BadEvidence(f"{folder}: no complete manifest there: {error}") from error
    return edge.size, edge.root()


def sign(folder: Path, head: Head, signer: Signer) -> bytes:
    """Write the head and the signed note into `folder`, where shards and sidecars already lie; return the root."""
    (folder / HEAD).write_bytes(encode(head))
    size, root = tree_root(folder)
    note = signer.sign(size, root, origin(signer.name, head.name, head.version))
    (folder / NOTE).write_text(str(note), encoding="utf-8")
    return root


def read(folder: Path, verifier_key: str) -> Manifest:
    """Return the manifest in `folder`. Raises BadEvidence unless all of it is what the holder of the key signed."""
    # (1) One note, signed by the key we trust.
    try:
        notes = read_notes((folder / NOTE).read_text(encoding="utf-8"), verifier_key)
    except (OSError, UnicodeDecodeError) as error:
        raise BadEvidence(f"{folder}: its signature cannot be read: {error}") from error
    if len(notes) != 1:
        raise BadEvidence(f"{folder / NOTE}: expected one signed note, got {len(notes)}")
    # (2) Head and shards are the ones that were signed.
    size, root = tree_root(folder)
    if (notes[0].size, notes[0].root) != (size, root):
        raise BadEvidence(f"{folder}: the manifest is not the one that was signed")
    try:
        head = msgspec.json.decode((folder / HEAD).read_bytes(), type=Head)
        listed = [msgspec.json.decode(line, type=Shard) for line in _lines(folder / SHARDS)]
    except msgspec.DecodeError as error:
        raise BadEvidence(f"{folder}: the manifest cannot be read: {error}") from error
    # (3) It speaks of the data set and version whose place it has.
    signer_name = verifier_key.split("+", 1)[0]
    if notes[0].origin != origin(signer_name, head.name, head.version):
        raise BadEvidence(f"{folder}: signed as {notes[0].origin}, but the manifest is of {head.name} v{head.version}")
    # (4) The sidecars are those of this head.
    for sidecar, digest in head.sidecars.items():
        if sidecar not in SIDECARS or file_digest(folder / sidecar) != digest:
            raise BadEvidence(f"{folder / sidecar}: not what was signed")
    shards: dict[str, list[Shard]] = {}
    for shard in listed:
        shards.setdefault(shard.file, []).append(shard)
    return Manifest(head, shards, root, folder)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file in hex, or an empty string when it is not there."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        for line in file:
            yield line.rstrip(b"\n")

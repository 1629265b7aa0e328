"""The append-only log: rows in a database, a Merkle tree over them, signed checkpoints outside.

What `append` returned survives `kill -9` and a power cut. Several processes may append to one log: the database's
lock makes one sequence of them. The content of a record stands apart from its leaf, which holds only a salted
commitment to it; so content can be erased and every proof still holds. Erasing is itself a record.
"""

import hashlib
import json
import os
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from bartizan.core.clock import Clock
from bartizan.core.errors import BadEvidence
from bartizan.core.sections.ledger import Ledger as Section
from bartizan.ledger import merkle
from bartizan.ledger.checkpoint import Checkpoint, Signer
from bartizan.ledger.tables.base import Content, Leaf, Node, Row, Tables
from bartizan.ledger.tables.opening import open_tables

KEY = "ledger.key"
ERASED = "erased"
_TILE_LEVEL = 8
"""Hashes of subtrees of 2^8 leaves and more are stored; smaller ones are computed from at most 256 leaf hashes."""

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
_FAST_ENCODER = msgspec.json.Encoder(order="deterministic")
_SIMPLE = frozenset((str, int, bool, type(None)))


class Receipt(NamedTuple):
    """The place of a record. `str()` is what clients get."""

    seq: int
    leaf_hash: bytes

    def __str__(self) -> str:
        """Return seq:hash."""
        return f"{self.seq}:{self.leaf_hash.hex()}"


class Record(msgspec.Struct, frozen=True):
    """What a leaf commits to. `commitment` is SHA-256(salt || body) in hex."""

    commitment: str
    kind: str
    seq: int
    time_ns: int


_RECORD = msgspec.json.Decoder(Record)
_BODY = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True, slots=True)
class Entry:
    """A record with its content; `body` is None when it was erased."""

    record: Record
    leaf_hash: bytes
    body: dict[str, Any] | None


class Ledger:
    """An open log. Thread-safe."""

    def __init__(self, section: Section, tables: Tables, signer: Signer, clock: Clock) -> None:
        """Use `Ledger.configured` or `Ledger.open`, which make what is missing."""
        self.section = section
        self.checkpoint_file = Path(section.checkpoint_file)
        self._tables, self._signer, self._clock = tables, signer, clock
        self._lock = threading.Lock()
        self._edge = merkle.Edge()

    @classmethod
    def open(cls, directory: Path, *, origin: str, clock: Clock, checkpoint_file: Path | None = None) -> "Ledger":
        """Open the log in the folder `directory`, or start one there. `origin` names it in its checkpoints.

        `checkpoint_file` defaults to a file beside the folder.
        """
        notes = checkpoint_file or directory.with_name(directory.name + "-checkpoints.txt")
        return cls.configured(Section(directory=str(directory), checkpoint_file=str(notes), origin=origin), clock)

    @classmethod
    def configured(cls, section: Section, clock: Clock) -> "Ledger":
        """Open the log that the settings name, or start it. Its public key is written beside the checkpoints, once."""
        tables, notes = open_tables(section), Path(section.checkpoint_file)
        try:
            notes.parent.mkdir(parents=True, exist_ok=True)
            signer = Signer.open(Path(section.directory) / KEY, section.origin)
            _write_once(public_key_file(notes), signer.verifier_key() + "\n")
        except OSError as error:
            tables.close()
            raise BadEvidence(f"the ledger in {tables.name} cannot be opened: {error}") from error
        except BadEvidence:
            tables.close()
            raise
        return cls(section, tables, signer, clock)

    def append(self, kind: str, body: Mapping[str, Any]) -> Receipt:
        """Append one record; it is durable when this returns. Raises BadEvidence when it cannot be kept."""
        return self.append_many([(kind, body)])[0]

    def append_many(self, entries: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Receipt]:
        """Append records in one transaction: all of them or none."""
        prepared = [(kind, _canonical(body)) for kind, body in entries]
        with self._writing() as write:
            return [write(kind, body) for kind, body in prepared]

    def erase(self, seq: int, why: str) -> Receipt:
        """Remove the content of record `seq` for good and record that it was removed. The tree stays as it is."""
        with self._writing() as write:
            if not self._tables.forget(seq):
                raise BadEvidence(f"record {seq} has no content to erase: expected a record that was not erased yet")
            receipt = write(ERASED, _canonical({"seq": seq, "why": why}))
        with self._lock:
            self._tables.scrub()
        return receipt

    def checkpoint(self) -> Checkpoint:
        """Sign the log as it stands and append the note to the checkpoint file, durably."""
        with self._lock, self._tables.reading():
            self._catch_up()
            signed = self._signer.sign(self._edge.size, self._edge.root())
        try:
            with self.checkpoint_file.open("a", encoding="utf-8") as file:
                file.write(f"{signed}\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise BadEvidence(f"the checkpoint cannot be written to {self.checkpoint_file}: {error}") from error
        return signed

    def size(self) -> int:
        """Return how many records there are, those of other processes included."""
        with self._lock:
            return self._tables.size()

    def entries(self, first: int = 0, count: int = 1000) -> list[Entry]:
        """Return up to `count` records from `first` on, in order."""
        with self._lock:
            return _entries(self._tables.rows(first, count))

    def mentioning(self, word: str, first: int, count: int) -> list[Entry]:
        """Return those of up to `count` records from `first` on whose content holds `word` (ASCII), in order."""
        with self._lock:
            return _entries(self._tables.mentioning(word.encode("ascii"), first, count))

    def latest(self, kind: str, count: int = 1, before: int | None = None) -> list[Entry]:
        """Return the last `count` records of `kind`, the latest first; only those below number `before` if given."""
        with self._lock:
            return _entries(self._tables.latest(kind, count, 1 << 62 if before is None else before))

    def counts(self) -> dict[str, int]:
        """Return how many records of each kind there are."""
        with self._lock:
            return self._tables.counts()

    def inclusion_proof(self, seq: int, size: int) -> list[bytes]:
        """Return the audit path of record `seq` in the log of `size` records."""
        with self._lock:
            return merkle.inclusion_proof(seq, min(size, self._tables.size()), self._subtree)

    def consistency_proof(self, old: int, new: int) -> list[bytes]:
        """Return the proof that the log of `new` records extends the one of `old`."""
        with self._lock:
            return merkle.consistency_proof(old, min(new, self._tables.size()), self._subtree)

    def root(self, size: int) -> bytes:
        """Return the root of the first `size` records."""
        with self._lock:
            return merkle.range_hash(0, min(size, self._tables.size()), self._subtree)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._tables.close()

    @contextmanager
    def _writing(self) -> "Iterator[Callable[[str, bytes], Receipt]]":
        """Hold the write lock and yield a function that appends one record to the open transaction."""

        def write(kind: str, body: bytes) -> Receipt:
            seq, salt = self._edge.size, secrets.token_bytes(16)
            commitment = hashlib.sha256(salt + body).hexdigest()
            record = msgspec.json.encode(Record(commitment, kind, seq, self._clock.wall_ns()))
            leaf = merkle.leaf_hash(record)
            leaves.append(Leaf(seq, record, leaf, kind))
            contents.append(Content(seq, salt, body))
            nodes.extend(Node(*node) for node in self._edge.add(leaf) if node[0] >= _TILE_LEVEL)
            return Receipt(seq, leaf)

        leaves: list[Leaf] = []
        contents: list[Content] = []
        nodes: list[Node] = []
        with self._lock:
            try:
                with self._tables.writing():
                    self._catch_up()
                    yield write
                    self._tables.add(leaves, contents, nodes)
            except BaseException:
                self._edge = merkle.Edge()  # what was added to it is not in the database
                raise

    def _catch_up(self) -> None:
        """Read the edge again when another process appended. Called inside a transaction."""
        size = self._tables.size()
        if size != self._edge.size:
            roots = [self._subtree(first, count) for first, count in merkle.complete_subtrees(0, size)]
            self._edge = merkle.Edge(size, roots)

    def _subtree(self, first: int, count: int) -> bytes:
        level = count.bit_length() - 1
        if level >= _TILE_LEVEL:
            stored = self._tables.node(level, first >> level)
            if stored is None:
                raise BadEvidence(f"the hash of records {first} to {first + count - 1} is missing: run ledger verify")
            return stored
        hashes = self._tables.leaf_hashes(first, count)
        if len(hashes) != count:
            raise BadEvidence(f"records are missing between {first} and {first + count - 1}: run ledger verify")
        while len(hashes) > 1:
            hashes = [merkle.node_hash(*pair) for pair in zip(hashes[::2], hashes[1::2], strict=True)]
        return hashes[0]


def _entries(rows: Sequence[Row]) -> list[Entry]:
    return [
        Entry(_RECORD.decode(record), leaf, None if body is None else _content(body)) for record, leaf, body in rows
    ]


def _content(body: bytes) -> dict[str, Any]:
    try:
        return _BODY.decode(body)
    except msgspec.DecodeError:  # half a surrogate pair, which only the standard library reads
        return dict(json.loads(body))


def public_key_file(checkpoint_file: Path) -> Path:
    """Return where the public key of a log's checkpoints stands."""
    return checkpoint_file.with_name(checkpoint_file.name + ".pub")


def _canonical(body: Mapping[str, Any]) -> bytes:
    """Return `body` as bytes that depend on nothing but its content."""
    try:
        if _is_simple(body):
            return _FAST_ENCODER.encode(body)  # a quarter of the time, but it would write what is no number as null
        return _ENCODER.encode(body).encode()
    except UnicodeEncodeError:  # half a surrogate pair can only be written as an escape
        return json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise BadEvidence(f"a record that is no JSON: {error}") from error


def _is_simple(node: Any) -> bool:
    """Return whether a value holds only what both encoders write the same way."""
    kind = type(node)
    if kind is dict:
        for key, value in node.items():
            if type(key) is not str or (type(value) not in _SIMPLE and not _is_simple(value)):
                return False
        return True
    if kind is list:
        return all(type(value) in _SIMPLE or _is_simple(value) for value in node)
    return kind in _SIMPLE


def _write_once(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        if path.read_text(encoding="utf-8") != text:
            raise BadEvidence(
                f"{path} holds another key than this ledger's",
                hint="A checkpoint file belongs to one ledger: set ledger.checkpoint_file to another place.",
            ) from None

"""The append-only log: SQLite in WAL mode with full synchronisation, a Merkle tree over it, signed checkpoints outside.

What `append` returned survives `kill -9` and a power cut. Several processes may append to one folder: SQLite's write
lock makes one sequence of them. The content of a record stands apart from its leaf, which holds only a salted
commitment to it; so content can be erased and every proof still holds. Erasing is itself a record.
"""

import hashlib
import json
import os
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from bartizan.core.clock import Clock
from bartizan.core.errors import BadEvidence
from bartizan.core.sections.ledger import Ledger as Section
from bartizan.ledger import merkle
from bartizan.ledger.checkpoint import Checkpoint, Signer

DATABASE = "ledger.sqlite"
KEY = "ledger.key"
ERASED = "erased"
_TILE_LEVEL = 8
"""Hashes of subtrees of 2^8 leaves and more are stored; smaller ones are computed from at most 256 leaf hashes."""

_MOST_ROWS = 64
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
_FAST_ENCODER = msgspec.json.Encoder(order="deterministic")
_SIMPLE = frozenset((str, int, bool, type(None)))

_SCHEMA = """
CREATE TABLE IF NOT EXISTS leaf (seq INTEGER PRIMARY KEY, record BLOB NOT NULL, hash BLOB NOT NULL, kind TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS leaf_kind ON leaf (kind, seq);
CREATE TABLE IF NOT EXISTS body (seq INTEGER PRIMARY KEY, salt BLOB NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS node (
    level INTEGER, idx INTEGER, hash BLOB NOT NULL, PRIMARY KEY (level, idx)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Receipt:
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


@dataclass(frozen=True, slots=True)
class Entry:
    """A record with its content; `body` is None when it was erased."""

    record: Record
    leaf_hash: bytes
    body: dict[str, Any] | None


class Ledger:
    """An open log. Thread-safe."""

    def __init__(self, directory: Path, signer: Signer, clock: Clock, checkpoint_file: Path) -> None:
        """Use `Ledger.open`, which makes what is missing."""
        self.directory = directory
        self.checkpoint_file = checkpoint_file
        self._signer, self._clock = signer, clock
        self._lock = threading.Lock()
        self._db = connect(directory / DATABASE)
        self._db.executescript(_SCHEMA)
        self._edge = merkle.Edge()

    @classmethod
    def open(cls, directory: Path, *, origin: str, clock: Clock, checkpoint_file: Path | None = None) -> "Ledger":
        """Open the log in `directory`, or start one there. `origin` names it in its checkpoints.

        `checkpoint_file` defaults to a file beside the folder. Its public key is written next to it, once.
        """
        notes = checkpoint_file or directory.with_name(directory.name + "-checkpoints.txt")
        try:
            directory.mkdir(parents=True, exist_ok=True)
            notes.parent.mkdir(parents=True, exist_ok=True)
            signer = Signer.open(directory / KEY, origin)
            ledger = cls(directory, signer, clock, notes)
            _write_once(public_key_file(notes), signer.verifier_key() + "\n")
        except (OSError, sqlite3.Error) as error:
            raise BadEvidence(f"the ledger in {directory} cannot be opened: {error}") from error
        return ledger

    @classmethod
    def configured(cls, section: Section, clock: Clock) -> "Ledger":
        """Open the log that the settings name, or start it."""
        return cls.open(
            Path(section.directory), origin=section.origin, clock=clock, checkpoint_file=Path(section.checkpoint_file)
        )

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
            removed = self._db.execute("DELETE FROM body WHERE seq = ?", (seq,)).rowcount
            if not removed:
                raise BadEvidence(f"record {seq} has no content to erase: expected a record that was not erased yet")
            receipt = write(ERASED, _canonical({"seq": seq, "why": why}))
        with self._lock:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # or the content would live on in the write-ahead log
        return receipt

    def checkpoint(self) -> Checkpoint:
        """Sign the log as it stands and append the note to the checkpoint file, durably."""
        with self._lock, self._transaction("BEGIN"):
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
            return self._size()

    def entries(self, first: int = 0, count: int = 1000) -> list[Entry]:
        """Return up to `count` records from `first` on, in order."""
        return self._entries("WHERE leaf.seq >= ? ORDER BY leaf.seq LIMIT ?", (first, count))

    def latest(self, kind: str, count: int = 1, before: int | None = None) -> list[Entry]:
        """Return the last `count` records of `kind`, the latest first; only those below number `before` if given."""
        below = 1 << 62 if before is None else before
        where = "WHERE leaf.kind = ? AND leaf.seq < ? ORDER BY leaf.seq DESC LIMIT ?"
        return self._entries(where, (kind, below, count))

    def counts(self) -> dict[str, int]:
        """Return how many records of each kind there are."""
        with self._lock:
            return dict(self._db.execute("SELECT kind, count(*) FROM leaf GROUP BY kind"))

    def inclusion_proof(self, seq: int, size: int) -> list[bytes]:
        """Return the audit path of record `seq` in the log of `size` records."""
        with self._lock:
            return merkle.inclusion_proof(seq, min(size, self._size()), self._subtree)

    def consistency_proof(self, old: int, new: int) -> list[bytes]:
        """Return the proof that the log of `new` records extends the one of `old`."""
        with self._lock:
            return merkle.consistency_proof(old, min(new, self._size()), self._subtree)

    def root(self, size: int) -> bytes:
        """Return the root of the first `size` records."""
        with self._lock:
            return merkle.range_hash(0, min(size, self._size()), self._subtree)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()

    def _entries(self, where: str, values: tuple[int | str, ...]) -> list[Entry]:
        query = f"SELECT record, hash, body FROM leaf LEFT JOIN body USING (seq) {where}"  # noqa: S608 - `where` is ours
        with self._lock:
            rows = self._db.execute(query, values).fetchall()
        return [
            Entry(msgspec.json.decode(record, type=Record), leaf, None if body is None else json.loads(body))
            for record, leaf, body in rows
        ]

    @contextmanager
    def _writing(self) -> "Iterator[Callable[[str, bytes], Receipt]]":
        """Hold the write lock and yield a function that appends one record to the open transaction."""

        def write(kind: str, body: bytes) -> Receipt:
            seq, salt = self._edge.size, secrets.token_bytes(16)
            commitment = hashlib.sha256(salt + body).hexdigest()
            record = msgspec.json.encode(Record(commitment, kind, seq, self._clock.wall_ns()))
            leaf = merkle.leaf_hash(record)
            leaves.append((seq, record, leaf, kind))
            bodies.append((seq, salt, body))
            nodes.extend(node for node in self._edge.add(leaf) if node[0] >= _TILE_LEVEL)
            return Receipt(seq, leaf)

        leaves: list[tuple[Any, ...]] = []
        bodies: list[tuple[Any, ...]] = []
        nodes: list[tuple[Any, ...]] = []
        with self._lock:
            try:
                with self._transaction("BEGIN IMMEDIATE"):
                    self._catch_up()
                    yield write
                    self._insert("leaf", leaves)
                    self._insert("body", bodies)
                    self._insert("node", nodes)
            except sqlite3.Error as error:
                raise BadEvidence(f"the ledger in {self.directory} cannot be written: {error}") from error

    def _insert(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        """Insert rows, many in one statement: a busy thread beside us gets the interpreter once, not at every row."""
        done = 0
        while done < len(rows):
            count = min(_MOST_ROWS, 1 << (len(rows) - done).bit_length() - 1)  # few sizes, so statements stay prepared
            marks = ", ".join([f"({', '.join('?' * len(rows[0]))})"] * count)
            values = [value for row in rows[done : done + count] for value in row]
            self._db.execute(f"INSERT INTO {table} VALUES {marks}", values)  # noqa: S608 - `table` is ours
            done += count

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        self._db.execute(begin)
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            self._edge = merkle.Edge()  # what was added to it is not in the database
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _catch_up(self) -> None:
        """Read the edge again when another process appended. Called inside a transaction."""
        size = self._size()
        if size != self._edge.size:
            roots = [self._subtree(first, count) for first, count in merkle.complete_subtrees(0, size)]
            self._edge = merkle.Edge(size, roots)

    def _size(self) -> int:
        return int(self._db.execute("SELECT coalesce(max(seq) + 1, 0) FROM leaf").fetchone()[0])

    def _subtree(self, first: int, count: int) -> bytes:
        level = count.bit_length() - 1
        if level >= _TILE_LEVEL:
            row = self._db.execute(
                "SELECT hash FROM node WHERE level = ? AND idx = ?", (level, first >> level)
            ).fetchone()
            if row is None:
                raise BadEvidence(f"the hash of records {first} to {first + count - 1} is missing: run ledger verify")
            return bytes(row[0])
        query = "SELECT hash FROM leaf WHERE seq >= ? AND seq < ? ORDER BY seq"
        hashes = [bytes(row[0]) for row in self._db.execute(query, (first, first + count))]
        if len(hashes) != count:
            raise BadEvidence(f"records are missing between {first} and {first + count - 1}: run ledger verify")
        while len(hashes) > 1:
            hashes = [merkle.node_hash(*pair) for pair in zip(hashes[::2], hashes[1::2], strict=True)]
        return hashes[0]


def connect(path: Path) -> sqlite3.Connection:
    """Open the database so that a commit is on the disk when it returns (WAL, synchronous=FULL)."""
    db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA secure_delete = ON")
    return db


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
        return all(type(key) is str and (type(value) in _SIMPLE or _is_simple(value)) for key, value in node.items())
    return kind in _SIMPLE or (kind is list and all(_is_simple(value) for value in node))


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

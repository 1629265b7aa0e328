"""Verifies a whole log against itself and against the checkpoints that were written outside it.

Every record is read. A problem names the record, or the range between two checkpoints where a forger was consistent.
"""

import hashlib
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bartizan.core.errors import BadEvidence
from bartizan.core.sections.ledger import Ledger as Section
from bartizan.ledger import merkle
from bartizan.ledger.checkpoint import Checkpoint, read_notes
from bartizan.ledger.log import ERASED, Record, public_key_file
from bartizan.ledger.tables.base import Tables
from bartizan.ledger.tables.opening import must_exist, open_tables

MOST_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """What does not hold, and at which record; `seq` is the first record concerned."""

    seq: int
    what: str


@dataclass(frozen=True, slots=True)
class Verified:
    """The result: how many records there are, how many a checkpoint covers, and what does not hold."""

    records: int
    sealed: int
    checkpoints: int
    erased: int
    root: bytes
    problems: tuple[Problem, ...]

    @property
    def intact(self) -> bool:
        """Whether nothing was found."""
        return not self.problems


def verify(section: Section) -> Verified:
    """Read the whole log that the settings name and compare it with its checkpoint file.

    Raises BadEvidence when there is no log, or when the checkpoints themselves cannot be trusted.
    """
    must_exist(section)
    notes = _notes(Path(section.checkpoint_file))
    with closing(open_tables(section)) as tables, tables.reading():
        return _verified(tables, notes)


def _notes(checkpoint_file: Path) -> list[Checkpoint]:
    try:
        text = checkpoint_file.read_text(encoding="utf-8") if checkpoint_file.exists() else ""
        key = public_key_file(checkpoint_file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadEvidence(f"{checkpoint_file}: the checkpoints or their key cannot be read: {error}") from error
    return read_notes(text, key)


def _verified(tables: Tables, notes: list[Checkpoint]) -> Verified:
    problems: list[Problem] = []
    edge = merkle.Edge()
    roots = {note.size: b"" for note in notes} | {0: edge.root()}
    nodes = _StoredNodes(tables, problems)
    contents = _Contents(problems)
    for seq, record, stored, kind, salt, body in tables.everything():
        if seq != edge.size:
            problems.append(Problem(edge.size, f"records {edge.size} to {seq - 1} are missing"))
            break
        leaf = merkle.leaf_hash(record)
        if leaf != stored:
            problems.append(Problem(seq, "the record and its stored hash differ"))
        contents.check(seq, record, kind, salt, body)
        nodes.check(edge.add(leaf))
        if edge.size in roots:
            roots[edge.size] = edge.root()
        if len(problems) >= MOST_PROBLEMS:
            break
    else:
        contents.finish(tables)
        nodes.finish(edge.size)
    problems += _against(notes, roots, edge.size)
    sealed = min(max((note.size for note in notes), default=0), edge.size)
    erased = len(contents.missing)
    return Verified(edge.size, sealed, len(notes), erased, edge.root(), tuple(problems[:MOST_PROBLEMS]))


class _Contents:
    """Compares every record with its place and its content with its commitment."""

    def __init__(self, problems: list[Problem]) -> None:
        self.missing: list[int] = []
        self._erased: set[int] = set()
        self._problems = problems

    def check(self, seq: int, record: bytes, kind: str, salt: bytes | None, body: bytes | None) -> None:
        """Look at one record."""
        try:
            read = msgspec.json.decode(record, type=Record)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self._problems.append(Problem(seq, "the record cannot be read"))
            return
        if read.seq != seq:
            self._problems.append(Problem(seq, f"record {read.seq} stands in the place of {seq}"))
        if read.kind != kind:
            self._problems.append(Problem(seq, f"the index calls it {kind!r}, the record {read.kind!r}"))
        if salt is None or body is None:
            self.missing.append(seq)
        elif hashlib.sha256(salt + body).hexdigest() != read.commitment:
            self._problems.append(Problem(seq, "the content does not match its commitment"))
        elif read.kind == ERASED:
            self._erased.add(msgspec.json.decode(body)["seq"])

    def finish(self, tables: Tables) -> None:
        """Name contents that went without a record, and contents that no record speaks of."""
        for seq in self.missing:
            if seq not in self._erased:
                self._problems.append(Problem(seq, "the content is gone and no record says that it was erased"))
        for seq in tables.strays():
            self._problems.append(Problem(seq, "a content without a record"))


def _against(notes: list[Checkpoint], roots: dict[int, bytes], size: int) -> list[Problem]:
    """Compare the roots with the checkpoints; the first that differs names the range since the last that agrees."""
    agreed = 0
    for note in sorted(notes, key=lambda one: one.size):
        if note.size > size:
            return [Problem(size, f"a checkpoint says {note.size} records, there are {size}: the end was cut off")]
        if roots[note.size] != note.root:
            return [Problem(agreed, f"records {agreed} to {note.size - 1} are not the ones that were sealed")]
        agreed = note.size
    return []


class _StoredNodes:
    """Compares the stored hashes of large subtrees with the computed ones."""

    def __init__(self, tables: Tables, problems: list[Problem]) -> None:
        self._stored = {(level, idx): value for level, idx, value in tables.nodes()}
        self._problems = problems

    def check(self, done: list[tuple[int, int, bytes]]) -> None:
        """Tick off the subtrees that the last record completed."""
        if len(done) <= 8:
            return
        for level, idx, value in done[8:]:
            if self._stored.pop((level, idx), None) != value:
                self._problems.append(Problem(idx << level, f"the stored hash of {1 << level} records differs"))

    def finish(self, size: int) -> None:
        """Name hashes that belong to no record."""
        if self._stored:
            self._problems.append(Problem(size, "stored hashes of records that do not exist"))

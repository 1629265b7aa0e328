"""The journal of an admission: one line for every shard copied and every batch measured, written after its bytes.

A run that was killed continues behind its last whole line: what was written to the files behind that line is cut off
and made again, so nothing is lost and nothing counts twice. A line that was torn by the end of the process is dropped.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from bartizan.core.errors import BadArtifact, Refused
from bartizan.data.manifest import Shard
from bartizan.data.statistics import Column

SYNC_BYTES = 64 << 20


class Begun(msgspec.Struct, frozen=True, tag="begun"):
    """The first line: what is being admitted. Another state of the source starts anew."""

    fingerprint: str
    version: int
    label: str


class Copied(msgspec.Struct, frozen=True, tag="copied"):
    """A shard lies in the copy."""

    shard: Shard


class Measured(msgspec.Struct, frozen=True, tag="measured"):
    """A batch of rows has its digests, keys and labels in the sidecars."""

    table: str
    file: str
    rows: int
    lead: int
    columns: dict[str, Column]
    labels: tuple[str, ...]
    """Classes seen here first."""
    sample: tuple[dict[str, Any], ...]
    """Rows of this batch that belong to the sample as far as is known."""


Line = Begun | Copied | Measured


class Journal:
    """An open journal. `lines` are those of an earlier run."""

    def __init__(self, path: Path, fingerprint: str, version: int, label: str) -> None:
        """Open the journal at `path`; forget an earlier one of another source, version or label."""
        self._path = path
        self.lines: list[Line] = []
        wanted = Begun(fingerprint, version, label)
        if path.exists():
            self.lines = _whole_lines(path)
            if not self.lines or self.lines[0] != wanted:
                self.lines = []
                path.unlink()
        self.resumed = bool(self.lines)
        self._file = path.open("ab", buffering=0)
        self._unsynced = 0
        if not self.lines:
            self.add(wanted)

    def add(self, line: Line, size: int = 0) -> None:
        """Append a line about `size` bytes that are already written."""
        self._file.write(msgspec.json.encode(line) + b"\n")
        self.lines.append(line)
        self._unsynced += size
        if self._unsynced >= SYNC_BYTES:
            self.sync()

    def sync(self) -> None:
        """Bring what was written to the disk. A killed process loses nothing between two calls."""
        os.fsync(self._file.fileno())
        self._unsynced = 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def shards(self) -> list[Shard]:
        """Return the shards copied so far, in order."""
        return [line.shard for line in self.lines if isinstance(line, Copied)]

    def batches(self) -> list[Measured]:
        """Return the batches measured so far, in order."""
        return [line for line in self.lines if isinstance(line, Measured)]


def _whole_lines(path: Path) -> list[Line]:
    """Return the lines of a journal and cut off what a killed process left half written."""
    data = path.read_bytes()
    end = data.rfind(b"\n") + 1
    if end != len(data):
        with path.open("r+b") as file:
            file.truncate(end)
    try:
        return [msgspec.json.decode(line, type=Line) for line in data[:end].splitlines()]
    except msgspec.DecodeError as error:
        raise BadArtifact(f"{path}: not a journal: {error}", hint="Remove its folder to start anew.") from error


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder: a second admission of the same data set is refused until this one ends, however it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Refused(f"{folder}: another admission of this data set is running", hint="Wait for it.") from None
        yield

"""Which files a data set consists of, their format, and how a file is cut into shards.

The format is told by the name's ending and checked by reading. Links, devices and names that are not UTF-8 are refused.
Nothing is executed or unpickled: npz members that need pickle are refused by the reader.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bartizan.core.errors import BadArtifact
from bartizan.data.manifest import Shard
from bartizan.data.records import check_row_length, count_rows, last_end

SHARD_BYTES = 8 << 20
SUFFIXES = {
    ".csv": "csv",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".npz": "npz",
    ".png": "images",
    ".jpg": "images",
    ".jpeg": "images",
    ".bmp": "images",
    ".gif": "images",
    ".wav": "audio",
    ".flac": "audio",
    ".mp3": "audio",
    ".ogg": "audio",
}
TEXT_FORMATS = ("csv", "jsonl")
FOLDER_FORMATS = ("images", "audio")
_NOT_DATA = (".DS_Store", "Thumbs.db")


@dataclass(frozen=True, slots=True)
class Source:
    """The files of a data set: where they lie, their format, and (name, bytes, mtime in ns) for each, by name."""

    folder: Path
    format: str
    files: tuple[tuple[str, int, int], ...]

    def fingerprint(self) -> str:
        """Return what tells this state of the files from another: names, sizes, times."""
        return hashlib.sha256(repr((str(self.folder.resolve()), self.files)).encode()).hexdigest()


def look(path: Path) -> Source:
    """Return the files at `path`: one file, or a folder of one format. Raises BadArtifact for anything else."""
    try:
        if path.is_symlink() or not path.exists():
            raise BadArtifact(f"{path}: expected a file or a folder that is no link")
        folder = path if path.is_dir() else path.parent
        found = sorted(_walk(path)) if path.is_dir() else [path]
        files = tuple((_name(one, folder), one.stat().st_size, one.stat().st_mtime_ns) for one in found)
    except OSError as error:
        raise BadArtifact(f"{path}: cannot be read: {error}") from error
    formats = {SUFFIXES.get(Path(name).suffix.lower(), Path(name).suffix or "no ending") for name, _, _ in files}
    known = set(SUFFIXES.values())
    if len(formats) != 1 or not formats <= known:
        raise BadArtifact(
            f"{path}: expected files of one format, got {', '.join(sorted(formats)) or 'no file'}",
            hint=f"Formats: {', '.join(sorted(known))}. Put other files elsewhere.",
        )
    return Source(folder, formats.pop(), files)


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        mode = path.lstat().st_mode
        if path.name in _NOT_DATA:
            continue
        if stat.S_ISDIR(mode):
            yield from _walk(path)
        elif stat.S_ISREG(mode):
            yield path
        else:
            raise BadArtifact(f"{path}: a link or a device", hint="A link can point anywhere: put the file there.")


def _name(file: Path, folder: Path) -> str:
    name = file.relative_to(folder).as_posix()
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise BadArtifact(f"{name!r}: a file name that is not UTF-8", hint="Rename it.") from None
    if "\n" in name or "\r" in name:
        raise BadArtifact(f"{name!r}: a file name with a line break", hint="Rename it.")
    return name


def cut(path: Path, name: str, form: str, offset: int = 0, end: int | None = None) -> Iterator[tuple[Shard, bytes]]:
    """Yield the shards of the file at `path` with their bytes, from `offset` (a shard's start) up to `end`.

    Text formats are cut between rows, at most SHARD_BYTES apart unless one row is longer; a picture or sound is whole.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size if end is None else end
        file.seek(offset)
        if size == 0 and offset == 0:
            yield _shard(name, 0, b"", form), b""
        while offset < size:
            data = file.read(min(SHARD_BYTES, size - offset)) if form not in FOLDER_FORMATS else file.read()
            if form in TEXT_FORMATS and offset + len(data) < size:
                data = _whole_rows(file.read, data, size - offset, form, f"{name} at byte {offset}")
                file.seek(offset + len(data))
            if not data:
                raise BadArtifact(f"{path}: became shorter while it was read")
            yield _shard(name, offset, data, form), data
            offset += len(data)


def _whole_rows(read: Callable[[int], bytes], data: bytes, left: int, form: str, where: str) -> bytes:
    quoted = form == "csv"
    while True:
        end = last_end(data, quoted=quoted)
        if end:
            return data[:end]
        check_row_length(len(data), where)
        more = read(SHARD_BYTES)
        if not more or len(data) >= left:
            return data
        data += more


def _shard(name: str, offset: int, data: bytes, form: str) -> Shard:
    rows = 0
    if form in TEXT_FORMATS:
        rows = count_rows(data, quoted=form == "csv")
    elif form in FOLDER_FORMATS:
        rows = 1
    return Shard(name, offset, len(data), rows, hashlib.sha256(data).hexdigest())

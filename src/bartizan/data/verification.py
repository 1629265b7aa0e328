"""Is this data what was admitted? Every byte is hashed again; where a file differs, the rows are named.

Shards are hashed in parallel (the hash releases the interpreter). In text formats only the bytes between the first and
the last shard that differ are read as rows; in Parquet and npz files all rows of the file are.
"""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bartizan.core.errors import BadArtifact
from bartizan.data.arrays import array_batches, array_tables
from bartizan.data.changes import Kind, changes
from bartizan.data.frames import parquet_batches
from bartizan.data.layout import FOLDER_FORMATS, TEXT_FORMATS, cut, look
from bartizan.data.manifest import ROWS, Manifest, Shard
from bartizan.data.records import DIGEST_BYTES, row_digests
from bartizan.data.staging import Progress

_THREADS = 4


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as admitted. `rule` is changed, added, removed, moved, renamed, rewritten or unreadable."""

    rule: str
    file: str
    row: str
    """The row as people count: `row 1` is the first, `header` that of a CSV file; empty for a whole file."""
    why: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verification found and how much it hashed."""

    differences: list[Difference]
    files: int
    bytes: int


def verify(manifest: Manifest, data: Path, progress: Progress = lambda what, done, total: None) -> Verified:
    """Compare the files at `data` with `manifest`; name every row that differs."""
    form = manifest.head.format
    try:
        source = look(data)
    except BadArtifact as error:
        return Verified([Difference("unreadable", str(data), "", str(error))], 0, 0)
    there = {name: size for name, size, _ in source.files}
    if data.is_file() and len(manifest.shards) == 1 and set(there) != set(manifest.shards):
        (admitted,) = manifest.shards
        return Verified([Difference("renamed", data.name, "", f"was admitted as {admitted}: give it that name")], 0, 0)
    data = source.folder
    good = _hashed(manifest, data, there, progress)
    found: list[Difference] = []
    rows = _digests_by_file(manifest)
    if form in FOLDER_FORMATS:
        found = _files(manifest, data, there, good)
    else:
        for name, shards in manifest.shards.items():
            size = sum(shard.bytes for shard in shards)
            if name not in there:
                count = sum(len(one) for one in rows.get(name, {}).values()) // DIGEST_BYTES
                found.append(Difference("removed", name, "", f"the file with its {count} rows is not there"))
            elif there[name] != size or not all(good[name]):
                found += _rows(manifest, data, name, good[name], rows.get(name, {}))
        found += [
            Difference("added", name, "", "the file was not admitted") for name in there if name not in manifest.shards
        ]
    return Verified(found, len(there), sum(there.values()))


def _hashed(manifest: Manifest, data: Path, there: dict[str, int], progress: Progress) -> dict[str, list[bool]]:
    """Return for each file which of its shards are as they were, at their place."""
    tasks = [(name, shard) for name, shards in manifest.shards.items() if name in there for shard in shards]
    total, done = sum(shard.bytes for _, shard in tasks), 0
    good: dict[str, list[bool]] = {}
    with ThreadPoolExecutor(_THREADS) as pool:
        same = pool.map(lambda task: is_same(data / task[0], task[1], task[1].offset), tasks)
        for (name, shard), result in zip(tasks, same, strict=True):
            good.setdefault(name, []).append(result)
            done += shard.bytes
            progress("hashed", done, total)
    return good


def is_same(path: Path, shard: Shard, offset: int) -> bool:
    """Return whether the bytes of `shard` stand at `offset` of the file at `path`."""
    sha, left = hashlib.sha256(), shard.bytes
    with path.open("rb", buffering=0) as file:
        while left:
            part = os.pread(file.fileno(), min(left, 1 << 23), offset)
            if not part:
                return False
            sha.update(part)
            offset, left = offset + len(part), left - len(part)
    return sha.hexdigest() == shard.sha256


def _digests_by_file(manifest: Manifest) -> dict[str, dict[str, bytes]]:
    """Return the admitted row digests of each table of each file."""
    found: dict[str, dict[str, bytes]] = {}
    raw = (manifest.folder / ROWS).read_bytes()
    at = 0
    for table in manifest.head.tables:
        size = table.rows * DIGEST_BYTES
        found.setdefault(table.file, {})[table.name] = raw[at : at + size]
        at += size
    return found


def _files(manifest: Manifest, data: Path, there: dict[str, int], good: dict[str, list[bool]]) -> list[Difference]:
    """Compare a folder of pictures or sounds, whose rows are files: a moved file may have got another class."""
    gone = {shards[0].sha256: name for name, shards in manifest.shards.items() if name not in there}
    found = []
    for name in there:
        if name in manifest.shards:
            if there[name] != manifest.shards[name][0].bytes or not all(good[name]):
                found.append(Difference("changed", name, "", "its content is not what was admitted"))
            continue
        with (data / name).open("rb") as file:
            old = gone.pop(hashlib.file_digest(file, "sha256").hexdigest(), None)
        if old is not None:
            found.append(Difference("moved", name, "", f"was admitted as {old}"))
        else:
            found.append(Difference("added", name, "", "the file was not admitted"))
    taken = {one.why.removeprefix("was admitted as ") for one in found if one.rule == "moved"}
    found += [
        Difference("removed", name, "", "was admitted and is not there")
        for name in manifest.shards
        if name not in there and name not in taken
    ]
    return found


def _rows(manifest: Manifest, data: Path, name: str, good: list[bool], old: dict[str, bytes]) -> list[Difference]:
    form = manifest.head.format
    if form in TEXT_FORMATS:
        found = _text_rows(form, data / name, name, manifest.shards[name], good, old.get(name, b""))
    else:
        try:
            new = _tables(form, data / name, name)
        except BadArtifact as error:
            return [Difference("unreadable", name, "", str(error))]
        found = [
            one
            for table in dict.fromkeys([*old, *new])
            for one in _named(form, table, 0, old.get(table, b""), new.get(table, b""))
        ]
    return found or [Difference("rewritten", name, "", "every row is as admitted, but the file's bytes are not")]


def _text_rows(form: str, path: Path, name: str, shards: list[Shard], good: list[bool], old: bytes) -> list[Difference]:
    """Read only what lies between the shards that stayed at the front and those that stayed at the back as rows."""
    size = path.stat().st_size
    moved = size - sum(shard.bytes for shard in shards)
    front = next((at for at, same in enumerate(good) if not same), len(good))
    back = len(shards)
    while back > front and shards[back - 1].offset + moved >= _end(shards, front):
        same = good[back - 1] if moved == 0 else is_same(path, shards[back - 1], shards[back - 1].offset + moved)
        if not same or not _starts_a_row(path, shards[back - 1].offset + moved):
            break
        back -= 1
    start = _end(shards, front)
    end = shards[back].offset + moved if back < len(shards) else size
    first = sum(shard.rows for shard in shards[:front])
    last = sum(shard.rows for shard in shards[:back])
    new = b"".join(row_digests(part, quoted=form == "csv") for _, part in cut(path, name, form, start, end))
    return _named(form, name, first, old[first * DIGEST_BYTES : last * DIGEST_BYTES], new)


def _end(shards: list[Shard], count: int) -> int:
    return shards[count - 1].offset + shards[count - 1].bytes if count else 0


def _starts_a_row(path: Path, offset: int) -> bool:
    with path.open("rb") as file:
        return offset == 0 or os.pread(file.fileno(), 1, offset - 1) == b"\n"


def _tables(form: str, path: Path, name: str) -> dict[str, bytes]:
    found: dict[str, list[bytes]] = {}
    for table, part in _read_rows(form, path, name):
        found.setdefault(table, []).append(part)
    return {table: b"".join(parts) for table, parts in found.items()}


def _read_rows(form: str, path: Path, name: str) -> Iterator[tuple[str, bytes]]:
    if form == "parquet":
        for batch in parquet_batches(path, name, 0):
            yield batch.table, batch.digests
        return
    for table, members in array_tables(path, name).items():
        for batch in array_batches(path, name, table, members, 0):
            yield table, batch.digests


def row_name(form: str, index: int) -> str:
    """Return what people call the row with this index in its table."""
    if form == "csv":
        return f"row {index}" if index else "header"
    return f"row {index + 1}"


def _named(form: str, table: str, first: int, old: bytes, new: bytes) -> list[Difference]:
    found = []
    for one in changes(old, new):
        was = "" if one.old is None else row_name(form, first + one.old)
        now = "" if one.new is None else row_name(form, first + one.new)
        why = {
            Kind.CHANGED: "its content is not what was admitted" + (f" (was {was})" if was != now else ""),
            Kind.ADDED: "was not admitted",
            Kind.REMOVED: "was admitted and is not there",
            Kind.MOVED: f"was admitted as {was}",
        }[one.kind]
        found.append(Difference(one.kind.value, table, now or was, why))
    return found

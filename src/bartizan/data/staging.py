"""Copies a data set and measures its rows, resumably and in bounded memory.

First every file is copied shard by shard, hashed on the way; then the copy (never the source, which may change
meanwhile) is read row by row for digests, keys, classes, statistics and a uniform sample. Each step is journalled.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import msgspec
import numpy as np

from bartizan.core.errors import BadArtifact
from bartizan.data import statistics
from bartizan.data.arrays import array_batches, array_tables
from bartizan.data.frames import KEY_BYTES, Batch, parquet_batches, row_keys, text_batches
from bartizan.data.journal import Copied, Journal, Measured
from bartizan.data.layout import FOLDER_FORMATS, TEXT_FORMATS, Source, cut
from bartizan.data.manifest import KEYS, LABELS, ROWS, SAMPLE, SHARDS, Shard, Table, encode
from bartizan.data.media import media_batches
from bartizan.data.records import DIGEST_BYTES

Progress = Callable[[str, int, int], None]
"""Told what is done: (what, bytes or rows so far, of how many; 0 when unknown)."""

DATA = "data"
SAMPLE_ROWS = 2048
NO_LABEL = 65535
_MOST_TEXT = 400


@dataclass
class Staged:
    """What was measured: everything the head of a manifest says about the rows."""

    tables: list[Table] = field(default_factory=list)
    columns: dict[str, statistics.Column] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    rows: int = 0


def stage(source: Source, folder: Path, journal: Journal, label: str, progress: Progress) -> Staged:
    """Copy and measure `source` into `folder`, continuing behind what `journal` holds."""
    _copy(source, folder / DATA, journal, progress)
    staged = _measure(source.format, folder, journal, label, progress)
    with (folder / SHARDS).open("wb") as file:
        file.writelines(encode(shard) + b"\n" for shard in journal.shards())
    journal.sync()
    return staged


def _copy(source: Source, target: Path, journal: Journal, progress: Progress) -> None:
    done: Counter[str] = Counter()
    seen = set()
    for shard in journal.shards():
        done[shard.file] += shard.bytes
        seen.add(shard.file)
    total, so_far = sum(size for _, size, _ in source.files), sum(done.values())
    for name, size, _ in source.files:
        if name in seen and done[name] == size:
            continue
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("r+b" if path.exists() else "w+b", buffering=0) as copy:
            copy.truncate(done[name])
            copy.seek(done[name])
            for shard, data in cut(source.folder / name, name, source.format, done[name], size):
                _write(copy, data)
                journal.add(Copied(shard), len(data))
                so_far += shard.bytes
                progress("copied", so_far, total)
        if (source.folder / name).stat().st_size != size:
            raise BadArtifact(f"{source.folder / name}: changed while it was admitted", hint="Admit it again.")


def _write(file: IO[bytes], data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _measure(form: str, folder: Path, journal: Journal, label: str, progress: Progress) -> Staged:
    staged, sample = Staged(), _Sample()
    shards, done = journal.shards(), journal.batches()
    for line in done:
        _take(staged, sample, line)
    total = sum(shard.rows for shard in shards)
    with ExitStack() as stack:
        sidecars = [stack.enter_context(_continued(folder / name, staged.rows * width)) for name, width in _WIDTHS]
        for batch in batches(form, folder / DATA, shards, Counter(line.table for line in done)):
            codes, fresh = _codes(batch, label, staged.labels)
            keys = row_keys(batch, label_column(batch.frame.columns, label))
            if len(keys) != batch.rows() * KEY_BYTES or batch.frame.height + batch.lead != batch.rows():
                raise BadArtifact(
                    f"{batch.table}: near row {staged.rows}: {batch.rows()} rows by their bytes, "
                    f"{batch.frame.height + batch.lead} by their content",
                    hint="Two readers would not agree on this file: write it again with a standard library.",
                )
            for file, data in zip(sidecars, (batch.digests, keys, codes), strict=True):
                _write(file, data)
            picked = sample.pick(batch, staged.rows)
            measured = statistics.measure(batch.frame)
            line = Measured(batch.table, batch.file, batch.rows(), batch.lead, measured, fresh, picked)
            journal.add(line, len(batch.digests))
            _take(staged, sample, line)
            progress("rows measured", staged.rows, total)
    (folder / SAMPLE).write_bytes(b"".join(encode(row) + b"\n" for row in sample.rows()))
    return staged


_WIDTHS = ((ROWS, DIGEST_BYTES), (KEYS, KEY_BYTES), (LABELS, 2))


def batches(form: str, data: Path, shards: list[Shard], done: Counter[str] | None = None) -> Iterator[Batch]:
    """Yield all rows of a data set in batches, without the first `done[table]` batches of each table."""
    skip = done or Counter()
    if form in FOLDER_FORMATS:
        yield from media_batches(data, form, shards, skip["files"])
        return
    for name in dict.fromkeys(shard.file for shard in shards):
        if form in TEXT_FORMATS:
            own = [shard for shard in shards if shard.file == name]
            yield from text_batches(data / name, name, form, own, skip[name])
        elif form == "parquet":
            yield from parquet_batches(data / name, name, skip[name])
        else:
            for table, members in array_tables(data / name, name).items():
                yield from array_batches(data / name, name, table, members, skip[table])


def _continued(path: Path, size: int) -> IO[bytes]:
    """Open a sidecar behind what the journal knows of it."""
    file = path.open("r+b" if path.exists() else "w+b", buffering=0)
    file.truncate(size)
    file.seek(size)
    return file


def _take(staged: Staged, sample: "_Sample", line: Measured) -> None:
    before = staged.rows
    staged.columns = statistics.add(staged.columns, line.columns, (before, line.rows))
    staged.rows += line.rows
    staged.labels.extend(line.labels)
    sample.keep(line.sample)
    if staged.tables and staged.tables[-1].name == line.table:
        staged.tables[-1] = Table(line.table, line.file, staged.tables[-1].rows + line.rows)
    else:
        staged.tables.append(Table(line.table, line.file, line.rows))


def label_column(columns: list[str], label: str) -> str:
    """Return the column that holds the class: the first of the comma-separated names in `label` that is there."""
    return next((name for name in label.split(",") if name in columns), "")


def _codes(batch: Batch, label: str, known: list[str]) -> tuple[bytes, tuple[str, ...]]:
    """Return the number of each row's class (two bytes each) and the classes not seen before."""
    column = label_column(batch.frame.columns, label)
    codes = np.full(batch.rows(), NO_LABEL, "<u2")
    if not column:
        return codes.tobytes(), ()
    values = batch.frame[column].to_list()
    names = {value: _as_class(value) for value in dict.fromkeys(values)}
    fresh = tuple(name for name in dict.fromkeys(names.values()) if name is not None and name not in known)
    if len(known) + len(fresh) >= NO_LABEL:
        raise BadArtifact(f"{batch.table}: column {column} has {NO_LABEL} different values: that is no class")
    number = {value: at for at, value in enumerate((*known, *fresh))}
    code = {value: NO_LABEL if name is None else number[name] for value, name in names.items()}
    codes[batch.lead :] = [code[value] for value in values]
    return codes.tobytes(), fresh


def _as_class(value: Any) -> str | None:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return None if value is None else str(value)[:200]


class _Sample:
    """The rows with the smallest digests: a uniform sample that adds up over batches (bottom-k)."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, Any]] = {}
        self._worst = "f" * 2 * DIGEST_BYTES  # everything is picked until the sample is full

    def pick(self, batch: Batch, first: int) -> tuple[dict[str, Any], ...]:
        """Return the rows of a batch that enter the sample; `first` is the number of rows before it."""
        starts = np.frombuffer(batch.digests, ">u8")[:: DIGEST_BYTES // 8]
        low = np.flatnonzero(starts <= int(self._worst[:16], 16))
        near = [(batch.digests[at * DIGEST_BYTES : (at + 1) * DIGEST_BYTES].hex(), at) for at in low.tolist()]
        picked = sorted(one for one in near if one[0] < self._worst and one[1] >= batch.lead)[:SAMPLE_ROWS]
        return tuple(
            {"digest": digest, "row": first + at, "values": _plain(batch.frame.row(at - batch.lead, named=True))}
            for digest, at in picked
        )

    def keep(self, rows: tuple[dict[str, Any], ...]) -> None:
        """Take rows in; only the SAMPLE_ROWS with the smallest digests stay."""
        self._kept.update((row["digest"], row) for row in rows)
        if len(self._kept) >= SAMPLE_ROWS:
            smallest = sorted(self._kept)[:SAMPLE_ROWS]
            self._kept = {digest: self._kept[digest] for digest in smallest}
            self._worst = smallest[-1]

    def rows(self) -> list[dict[str, Any]]:
        """Return the sample in order of the digests."""
        return [self._kept[digest] for digest in sorted(self._kept)]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value[:_MOST_TEXT] if isinstance(value, str) else value
        for name, value in row.items()
        if value is None or isinstance(value, str | int | float | bool)
    }


def read_sample(path: Path) -> list[dict[str, Any]]:
    """Return the sample rows in a sidecar: `digest`, `row` (number) and `values`."""
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]

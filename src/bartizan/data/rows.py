"""Single rows of an admitted or waiting data set: a sample for the checks, some to look at, all but some to keep.

Reading is streamed; of text formats only the shards that are needed are read. Rows are numbered from 0 in their table,
the header of a CSV file is no row.
"""

import shutil
from collections import defaultdict
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bartizan.core.errors import BadArtifact
from bartizan.data.frames import Batch, parquet_batches, text_batches
from bartizan.data.layout import FOLDER_FORMATS, TEXT_FORMATS
from bartizan.data.manifest import Manifest
from bartizan.data.records import row_ends
from bartizan.data.staging import DATA

if TYPE_CHECKING:
    import polars

Row = tuple[str, int]
"""A table and a number in it."""
_SHARDS = 12
"""A set that is sampled is read at so many places, spread evenly."""


def sample(manifest: Manifest, most: int) -> "tuple[list[Row], polars.DataFrame]":
    """Return at most `most` rows, spread evenly over the set, with their columns. CSV, JSON lines and Parquet only."""
    import polars as pl

    total = max(1, manifest.head.rows)
    names: list[Row] = []
    frames = []
    parts = list(_parts(manifest, spread=total > most))
    kept = sum(height for _, _, height in parts) if total > most else total
    step = max(1, -(-kept // most))
    for batch, first, _ in _read(manifest, parts):
        at = np.arange((-first) % step, batch.frame.height, step)
        names += [(batch.table, first + one) for one in at.tolist()]
        frames.append(batch.frame[at])
    return names, pl.concat(frames, how="diagonal_relaxed") if frames else pl.DataFrame()


_Part = tuple[str, int, int]
"""A file, a shard of it (-1: all of it), its rows."""


def _parts(manifest: Manifest, *, spread: bool) -> Iterator[_Part]:
    if manifest.head.format not in TEXT_FORMATS:
        yield from ((table.file, -1, table.rows) for table in manifest.head.tables)
        return
    found = [
        (name, at, shard.rows)
        for name, shards in manifest.shards.items()
        for at, shard in enumerate(shards)
        if shard.bytes
    ]
    step = -(-len(found) // _SHARDS) if spread else 1
    yield from found[::step]


def _read(manifest: Manifest, parts: Collection[_Part]) -> "Iterator[tuple[Batch, int, int]]":
    """Yield the batches of some parts, the number of their first row, and how many rows there are."""
    form, data = manifest.head.format, manifest.folder / DATA
    wanted: dict[str, list[int]] = defaultdict(list)
    for name, at, _ in parts:
        wanted[name].append(at)
    for name, shards in wanted.items():
        if form in TEXT_FORMATS:
            for batch in text_batches(data / name, name, form, manifest.shards[name], 0, frozenset(shards)):
                first = batch.first - (form == "csv" and batch.first > 0)
                yield batch, first, batch.frame.height
        else:
            first = 0
            for batch in parquet_batches(data / name, name, 0):
                yield batch, first, batch.frame.height
                first += batch.frame.height


def values(manifest: Manifest, wanted: Collection[Row]) -> dict[Row, dict[str, Any]]:
    """Return the columns of some rows, by row; nothing for formats whose rows are no records."""
    if manifest.head.format not in (*TEXT_FORMATS, "parquet"):
        return {}
    numbers: dict[str, list[int]] = defaultdict(list)
    for table, row in wanted:
        numbers[table].append(row)
    parts = []
    for name, rows in numbers.items():
        if manifest.head.format == "parquet":
            parts.append((name, -1, 0))
            continue
        ends = np.cumsum([shard.rows for shard in manifest.shards[name]]) - (manifest.head.format == "csv")
        parts += [(name, at, 0) for at in dict.fromkeys(np.searchsorted(ends, sorted(rows), side="right").tolist())]
    found = {}
    for batch, first, height in _read(manifest, parts):
        for row in numbers[batch.table]:
            if first <= row < first + height:
                found[(batch.table, row)] = batch.frame.row(row - first, named=True)
    return found


def without(manifest: Manifest, gone: Collection[Row], target: Path) -> Path:
    """Write all rows but `gone` to the folder `target`; return what can be admitted.

    Raises BadArtifact for arrays in several npz files.
    """
    form, data = manifest.head.format, manifest.folder / DATA
    left_out: dict[str, list[int]] = defaultdict(list)
    for table, row in gone:
        left_out[table].append(row)
    target.mkdir(parents=True)
    if form == "npz":
        _arrays_without(manifest, left_out, target)
    for name in manifest.shards if form != "npz" else ():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if name not in left_out:
            shutil.copyfile(data / name, target / name)
        elif form in TEXT_FORMATS:
            _text_without(manifest, name, left_out[name], target / name)
        elif form == "parquet":
            _parquet_without(data / name, left_out[name], target / name)
    several = form in FOLDER_FORMATS or len(manifest.shards) > 1
    return target if several else target / next(iter(manifest.shards))


def _text_without(manifest: Manifest, name: str, rows: list[int], target: Path) -> None:
    csv = manifest.head.format == "csv"
    gone = np.array(sorted(rows)) + csv
    first = 0
    with (manifest.folder / DATA / name).open("rb") as source, target.open("wb") as kept:
        for shard in manifest.shards[name]:
            data = source.read(shard.bytes)
            ends = row_ends(data, quoted=csv).tolist()
            ends += [len(data)] if not ends or ends[-1] < len(data) else []
            drop = set((gone[(gone >= first) & (gone < first + len(ends))] - first).tolist())
            starts = [0, *ends[:-1]]
            kept.writelines(data[starts[at] : end] for at, end in enumerate(ends) if at not in drop)
            first += len(ends)


def _parquet_without(source: Path, rows: list[int], target: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    gone = np.array(sorted(rows))
    with pq.ParquetFile(source) as file, pq.ParquetWriter(target, file.schema_arrow) as kept:
        first = 0
        for batch in file.iter_batches():
            keep = np.ones(batch.num_rows, bool)
            keep[gone[(gone >= first) & (gone < first + batch.num_rows)] - first] = False
            kept.write_batch(batch.filter(pa.array(keep)))
            first += batch.num_rows


def _arrays_without(manifest: Manifest, gone: dict[str, list[int]], target: Path) -> None:
    if len(manifest.shards) > 1:
        raise BadArtifact(f"{manifest.head.name}: rows of several npz files are not left out one by one")
    (file,) = manifest.shards
    with np.load(manifest.folder / DATA / file, allow_pickle=False) as archive:
        arrays = {key: archive[key] for key in archive.files}
    for table in manifest.head.tables:
        for key in table.name[len(table.file) + 1 : -1].split("+"):
            arrays[key] = np.delete(arrays[key], gone.get(table.name, []), axis=0)
    np.savez(target / file, **arrays)

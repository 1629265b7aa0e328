"""Rows as columns: batches of a frame each, whatever the format, with a digest and a key for every row.

A digest names the row exactly. A key is the same for rows that differ only in what does not matter (case, spacing,
digits in texts; the class): it finds near-duplicates and rows whose class was changed. Reading is streamed: one batch
is in memory at a time.
"""

import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from bartizan.core.errors import BadArtifact, BadSettings
from bartizan.data.manifest import Shard
from bartizan.data.records import DIGEST_BYTES, MOST_ROW_BYTES, row_digests

if TYPE_CHECKING:
    import polars

KEY_BYTES = 8
BATCH_BYTES = 8 << 20
NO_KEY = bytes(KEY_BYTES)


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows in order. `lead` rows at its start (the header of a CSV file) have a digest but no place in `frame`."""

    table: str
    file: str
    digests: bytes
    frame: "polars.DataFrame"
    lead: int = 0
    keys: bytes | None = None
    """Keys made by the reader (pictures, sounds); None where they come from the columns."""
    first: int = 0
    """Number in its file of the first row, for formats whose shards can be read alone (CSV counts its header)."""

    def rows(self) -> int:
        """Return how many rows there are, the header included."""
        return len(self.digests) // DIGEST_BYTES


def need_extra() -> None:
    """Raise BadSettings unless the extra `data` is installed."""
    try:
        import PIL
        import polars
        import pyarrow

        del PIL, polars, pyarrow
    except ImportError as error:
        raise BadSettings(
            f"data sets need {error.name}, which is not installed", hint="pip install 'bartizan[data]'"
        ) from error


def text_batches(
    path: Path, name: str, form: str, shards: list[Shard], skip: int, only: frozenset[int] | None = None
) -> Iterator[Batch]:
    """Yield one batch a shard of the CSV or JSON-lines file at `path`, from shard number `skip` on (or `only` some)."""
    first = 0
    columns: list[str] = []
    numeric: frozenset[str] = frozenset()
    with path.open("rb") as file:
        for number, shard in enumerate(shards):
            if form == "csv" and number == 0:
                columns, numeric = _csv_header(file.read(shard.bytes), name)
            if number >= skip and shard.bytes and (only is None or number in only):
                file.seek(shard.offset)
                data = file.read(shard.bytes)
                digests = row_digests(data, quoted=form == "csv")
                if form == "csv":
                    lead = int(number == 0)
                    yield Batch(name, name, digests, csv_frame(data, name, first, columns, numeric), lead, first=first)
                else:
                    yield Batch(name, name, digests, jsonl_frame(data, name, first), first=first)
            first += shard.rows


def _csv_header(data: bytes, name: str) -> tuple[list[str], frozenset[str]]:
    try:
        rows = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        columns = next(rows, [])
        sample = [row for _, row in zip(range(1000), rows, strict=False)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadArtifact(f"{name}: not CSV in UTF-8: {error}") from error
    if len(set(columns)) != len(columns) or not columns:
        raise BadArtifact(f"{name}: expected a first row with different column names, got {columns[:8]}")
    numeric = set()
    for at, column in enumerate(columns):
        known = [row[at] for row in sample if at < len(row) and row[at]]
        if known and sum(_is_number(value) for value in known) >= 0.9 * len(known):
            numeric.add(column)
    return columns, frozenset(numeric)


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def csv_frame(
    data: bytes, name: str, first: int, columns: list[str], numeric: frozenset[str] = frozenset()
) -> "polars.DataFrame":
    """Return CSV rows as columns; `first` is the number of the first of them, 0 for the header, which is left out."""
    import polars as pl

    csv.field_size_limit(MOST_ROW_BYTES)
    try:
        rows = list(
            csv.reader(io.StringIO(data.decode("utf-8-sig" if not first else "utf-8"), newline=""), strict=True)
        )
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadArtifact(f"{name}: rows from {first} on are not CSV in UTF-8: {error}") from error
    rows = rows[1:] if not first else rows
    for at, row in enumerate(rows):
        if len(row) != len(columns):
            if row:
                where = f"{name}: row {first + at + (not first)}"
                raise BadArtifact(f"{where} has {len(row)} fields, the header has {len(columns)}")
            row += [""] * len(columns)
    values = dict(zip(columns, zip(*rows, strict=True) if rows else [()] * len(columns), strict=True))
    texts = pl.DataFrame(values, schema=dict.fromkeys(columns, pl.String))
    return texts.with_columns(pl.col(column).str.strip_chars().cast(pl.Float64, strict=False) for column in numeric)


def jsonl_frame(data: bytes, name: str, first: int) -> "polars.DataFrame":
    """Return JSON lines as columns; `first` is the number of the first line, for errors. A blank line is nulls."""
    import polars as pl

    rows: list[dict[str, Any]] = []
    decode = msgspec.json.Decoder().decode
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    for at, line in enumerate(lines):
        try:
            row = decode(line) if line.strip() else {}
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise BadArtifact(f"{name}: row {first + at + 1} is not JSON: {error}") from error
        rows.append(row if isinstance(row, dict) else {"value": row})
    columns = list(dict.fromkeys(key for row in rows for key in row))
    return pl.DataFrame([_series(column, [row.get(column) for row in rows]) for column in columns])


def _series(name: str, values: list[Any]) -> "polars.Series":
    import polars as pl

    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} and kinds:
        return pl.Series(name, [None if v is None else float(v) for v in values], pl.Float64)
    if kinds == {bool}:
        return pl.Series(name, values, pl.Boolean)
    if kinds <= {str}:
        return pl.Series(name, values, pl.String)
    return pl.Series(name, [v if v is None or isinstance(v, str) else _json(v) for v in values], pl.String)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def parquet_batches(path: Path, name: str, skip: int) -> Iterator[Batch]:
    """Yield the rows of a Parquet file in batches of bounded size, from batch number `skip` on."""
    import polars as pl
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            meta = file.metadata
            wide = sum(meta.row_group(at).total_byte_size for at in range(meta.num_row_groups))
            size = max(1, min(1 << 16, BATCH_BYTES * max(meta.num_rows, 1) // max(wide, 1)))
            for number, rows in enumerate(file.iter_batches(batch_size=size)):
                if number >= skip:
                    frame = flat(pl.DataFrame(pl.from_arrow(rows)))
                    yield Batch(name, name, frame_digests(frame), frame)
    except (pa.ArrowException, OSError) as error:
        raise BadArtifact(f"{name}: not a Parquet file that can be read: {error}") from error


def flat(frame: "polars.DataFrame") -> "polars.DataFrame":
    """Return `frame` with plain columns only: structs taken apart, bytes as hex, times as numbers, the rest as text."""
    import polars as pl

    while any(isinstance(dtype, pl.Struct) for dtype in frame.dtypes):
        for name, dtype in frame.schema.items():
            if isinstance(dtype, pl.Struct):
                parts = frame[name].struct.unnest()
                parts = parts.rename({part: f"{name}.{part}" for part in parts.columns})
                frame = frame.drop(name).hstack(parts)
    plain = []
    for series in frame.iter_columns():
        dtype = series.dtype
        if dtype == pl.Binary:
            plain.append(series.bin.encode("hex"))
        elif dtype.is_temporal():
            plain.append(series.to_physical())
        elif dtype.is_decimal() or dtype == pl.Null or isinstance(dtype, pl.Categorical | pl.Enum):
            plain.append(series.cast(pl.String))
        elif dtype.is_numeric() or dtype in (pl.String, pl.Boolean):
            plain.append(series)
        else:
            plain.append(pl.Series(series.name, [None if v is None else repr(v) for v in series.to_list()], pl.String))
    return pl.DataFrame(plain)


def lines(frame: "polars.DataFrame") -> list[bytes]:
    """Return every row of a frame of plain columns as one line of JSON: the same row gives the same line."""
    buffer = io.BytesIO()
    frame.write_ndjson(buffer)
    return buffer.getvalue().splitlines()


def frame_digests(frame: "polars.DataFrame") -> bytes:
    """Return the digests of rows whose bytes are not lines of a file, end to end."""
    import polars as pl

    exact = [_bits(series) if series.dtype in (pl.Float32, pl.Float64) else series for series in frame.iter_columns()]
    sha = hashlib.sha256
    return b"".join(sha(line).digest()[:DIGEST_BYTES] for line in lines(pl.DataFrame(exact)))


def _bits(series: "polars.Series") -> "polars.Series":
    """Return floats as the whole numbers that their bits are: JSON writes NaN and null alike."""
    import polars as pl

    values = series.cast(pl.Float64)
    whole = pl.Series(series.name, np.ascontiguousarray(values.fill_null(0.0).to_numpy()).view(np.int64))
    return whole.set(values.is_null(), None) if values.null_count() else whole


def row_keys(batch: Batch, label: str) -> bytes:
    """Return the key of each row of a batch, end to end; zeros for the header of a CSV file."""
    import polars as pl

    if batch.keys is not None:
        return batch.keys
    frame = batch.frame.drop(label, strict=False)
    if not frame.width:
        return NO_KEY * batch.rows()
    texts = pl.col(pl.String).str.to_lowercase().str.replace_all(r"[\s\d\p{P}]+", " ").str.strip_chars()
    short = hashlib.blake2b
    done = [short(line, digest_size=KEY_BYTES).digest() for line in lines(frame.select(texts, pl.exclude(pl.String)))]
    return NO_KEY * batch.lead + b"".join(done)

"""Rows of npz files: arrays of the same length, read side by side in pieces. Nothing that needs pickle is read."""

import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bartizan.core.errors import BadArtifact
from bartizan.data.frames import BATCH_BYTES, KEY_BYTES, Batch
from bartizan.data.records import DIGEST_BYTES

if TYPE_CHECKING:
    import polars

_Header = tuple[tuple[int, ...], np.dtype[np.generic]]


def array_tables(path: Path, name: str) -> dict[str, list[str]]:
    """Return the arrays of an npz file by table: those of equal length belong together, in order of their names."""
    tables: dict[int, list[str]] = {}
    with _opened(path, name) as archive:
        for member in sorted(archive.namelist()):
            with archive.open(member) as file:
                shape, _ = _header(file, f"{name}[{member}]")
            if shape:
                tables.setdefault(shape[0], []).append(member)
    return {f"{name}[{'+'.join(one.removesuffix('.npy') for one in parts)}]": parts for parts in tables.values()}


def array_batches(path: Path, name: str, table: str, members: list[str], skip: int) -> Iterator[Batch]:
    """Yield the rows of one table in batches of bounded size, from batch number `skip` on."""
    with _opened(path, name) as archive, ExitStack() as stack:
        files = [stack.enter_context(archive.open(member)) for member in members]
        headers = [_header(file, f"{name}[{member}]") for file, member in zip(files, members, strict=True)]
        widths = [int(np.prod(shape[1:], dtype=np.int64)) * dtype.itemsize for shape, dtype in headers]
        size = max(1, BATCH_BYTES // max(1, sum(widths)))
        length = headers[0][0][0]
        for number, start in enumerate(range(0, length, size)):
            count = min(size, length - start)
            parts = [_exactly(file, count * width, name) for file, width in zip(files, widths, strict=True)]
            if number >= skip:
                arrays = {
                    member.removesuffix(".npy"): np.frombuffer(part, dtype).reshape(count, *shape[1:])
                    for member, part, (shape, dtype) in zip(members, parts, headers, strict=True)
                }
                yield Batch(table, name, _digests(parts, widths, count), columns(arrays), keys=_keys(arrays))


def columns(arrays: dict[str, npt.NDArray[np.generic]]) -> "polars.DataFrame":
    """Return arrays as columns: numbers and short texts as they are; of anything wider its mean and deviation."""
    import polars as pl

    found: dict[str, npt.NDArray[np.generic]] = {}
    for name, array in arrays.items():
        if array.ndim == 1 and array.dtype.kind in "biufU":
            found[name] = array
        elif array.dtype.kind in "biuf":
            wide = array.reshape(len(array), -1).astype(np.float64)
            found[f"{name}.mean"], found[f"{name}.deviation"] = wide.mean(axis=1), wide.std(axis=1)
        else:
            found[f"{name}.hash"] = np.array([hashlib.sha256(row.tobytes()).hexdigest() for row in array])
    return pl.DataFrame(found)


def _digests(parts: list[bytes], widths: list[int], count: int) -> bytes:
    found = []
    for row in range(count):
        sha = hashlib.sha256()
        for part, width in zip(parts, widths, strict=True):
            sha.update(part[row * width : (row + 1) * width])
        found.append(sha.digest()[:DIGEST_BYTES])
    return b"".join(found)


def _keys(arrays: dict[str, npt.NDArray[np.generic]]) -> bytes:
    """Return keys over everything but plain columns of whole numbers and texts, which may be the class."""
    inputs = [a for a in arrays.values() if not (a.ndim == 1 and a.dtype.kind in "biuU")] or list(arrays.values())
    rows = zip(*inputs, strict=True)
    return b"".join(
        hashlib.blake2b(b"".join(part.tobytes() for part in row), digest_size=KEY_BYTES).digest() for row in rows
    )


def _opened(path: Path, name: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise BadArtifact(f"{name}: not an npz file: {error}") from error


def _header(file: IO[bytes], where: str) -> _Header:
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(file)
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise BadArtifact(f"{where}: not an array: {error}") from error
    if dtype.hasobject:
        raise BadArtifact(f"{where}: Python objects, which only unpickling could read", hint="Save plain arrays.")
    if fortran and len(shape) > 1:
        raise BadArtifact(f"{where}: stored by columns", hint="Save it with numpy.ascontiguousarray.")
    return shape, dtype


def _exactly(file: IO[bytes], size: int, name: str) -> bytes:
    try:
        data = file.read(size)
    except (OSError, zipfile.BadZipFile, zipfile.zlib.error) as error:  # type: ignore[attr-defined]
        raise BadArtifact(f"{name}: damaged: {error}") from error
    if len(data) != size:
        raise BadArtifact(f"{name}: shorter than its header says")
    return data

"""Runs the checks that fit a staged data set and says which rows they flag. Only pictures are checked so far."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from bartizan.data.checks.base import Labels
from bartizan.data.checks.pictures import check_pictures
from bartizan.data.manifest import Manifest
from bartizan.data.media import label_of, picture
from bartizan.data.staging import DATA, label_column

MOST_ROWS = 20_000
"""Rows beyond this many are not checked together: they are said to be unchecked."""


class Flagged(msgspec.Struct, frozen=True):
    """A row that a check holds back: its table (a file of a folder), its number there from 0, and why."""

    table: str
    row: int
    why: str


class Findings(msgspec.Struct, frozen=True):
    """What the checks say of a data set, and what no check looked at."""

    rows: tuple[Flagged, ...] = ()
    alarms: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()


def inspect(manifest: Manifest) -> Findings:
    """Return what the checks find in the rows that lie beside `manifest`."""
    rows: list[Flagged] = []
    alarms: list[str] = []
    unchecked: list[str] = []
    for names, pictures, labels in _sets(manifest, unchecked):
        found = check_pictures(pictures, labels)
        alarms += found.alarms
        rows += [Flagged(*names[at], why) for at, why in sorted(found.reasons.items())]
    return Findings(tuple(rows), tuple(alarms), tuple(unchecked))


_Set = tuple[list[tuple[str, int]], npt.NDArray[np.uint8], Labels]


def _sets(manifest: Manifest, unchecked: list[str]) -> Iterator[_Set]:
    data = manifest.folder / DATA
    if manifest.head.format == "npz":
        yield from _arrays(manifest, data, unchecked)
    elif manifest.head.format == "images":
        yield from _files(manifest, data, unchecked)
    else:
        unchecked.append(f"rows of {manifest.head.format}: no check for triggers in them yet")


def _arrays(manifest: Manifest, data: Path, unchecked: list[str]) -> Iterator[_Set]:
    for table in manifest.head.tables:
        members = table.name[len(table.file) + 1 : -1].split("+")
        with np.load(data / table.file, allow_pickle=False) as file:
            label = label_column(members, manifest.head.label)
            found = [name for name in members if file[name].ndim in (3, 4) and file[name].dtype == np.uint8]
            if not label or not found or table.rows > MOST_ROWS:
                unchecked.append(f"{table.name}: needs uint8 pictures, a named class and at most {MOST_ROWS} rows")
                continue
            pictures, labels = file[found[0]], np.unique(file[label], return_inverse=True)[1]
        whole = pictures if pictures.ndim == 4 else pictures[..., None]
        yield [(table.name, at) for at in range(table.rows)], whole, labels.astype(np.int64)


def _files(manifest: Manifest, data: Path, unchecked: list[str]) -> Iterator[_Set]:
    names = list(manifest.shards)
    if len(names) > MOST_ROWS:
        unchecked.append(f"{len(names)} pictures: at most {MOST_ROWS} are checked together")
        return
    pixels = [picture((data / name).read_bytes()) for name in names]
    shapes = {one.shape for one in pixels if one is not None}
    if len(shapes) != 1 or any(one is None for one in pixels):
        unchecked.append(f"pictures of {len(shapes)} sizes, or some that cannot be decoded: not checked")
        return
    labels = np.unique([label_of(name) for name in names], return_inverse=True)[1].astype(np.int64)
    yield [(name, 0) for name in names], np.stack([one for one in pixels if one is not None]), labels

"""Runs the checks that fit a staged data set and says which rows they flag, and what no check looked at."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from bartizan.data.checks.base import Checked, Labels, nothing, of_all
from bartizan.data.checks.features import convolved, grey, standard
from bartizan.data.checks.feedback import check_feedback
from bartizan.data.checks.floods import record_floods, text_floods
from bartizan.data.checks.injections import Screen, check_injections
from bartizan.data.checks.mislabelled import LEAST_ROWS, MOST_CLASSES, check_labels
from bartizan.data.checks.outliers import number_outliers, text_outliers
from bartizan.data.checks.pictures import check_pictures
from bartizan.data.checks.predicted import Features, predicted
from bartizan.data.checks.sounds import LEAST_ROWS as FEWEST_SOUNDS
from bartizan.data.checks.sounds import check_sounds
from bartizan.data.checks.texts import check_pairs, check_texts, hidden_characters
from bartizan.data.checks.vectors import table_vectors, text_vectors
from bartizan.data.columns import Columns, columns
from bartizan.data.layout import TEXT_FORMATS
from bartizan.data.manifest import Manifest
from bartizan.data.media import label_of, picture, sound
from bartizan.data.rows import Row, sample
from bartizan.data.staging import DATA, Progress, label_column
from bartizan.data.votes import votes

MOST_ROWS = 20_000
"""Rows beyond this many are not checked together: of records an even sample is, of the rest it is said."""
MOST_COLUMNS = 512
"""Wider rows of numbers in npz files are not checked."""
_LEAST_SIDE = 4


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


def inspect(
    manifest: Manifest, screen: Screen | None = None, progress: Progress = lambda what, done, total: None
) -> Findings:
    """Return what the checks find in the rows that lie beside `manifest`; texts go through `screen` too.

    `progress` is told how many texts `screen` has read: that is what takes minutes.
    """
    reasons: dict[Row, list[str]] = {}
    alarms: list[str] = []
    unchecked: list[str] = []
    screened = _Screened(screen, progress) if screen is not None else None
    for names, found in _checked(manifest, screened, unchecked):
        alarms += found.alarms
        for at, why in sorted(found.reasons.items()):
            reasons.setdefault(names[at], []).append(why)
    rows = tuple(Flagged(*name, "; ".join(dict.fromkeys(why))) for name, why in reasons.items())
    return Findings(rows, tuple(alarms), tuple(unchecked))


_Results = Iterator[tuple[Sequence[Row], Checked]]


@dataclass(frozen=True)
class _Screened:
    screen: Screen
    progress: Progress

    def __call__(self, column: str, texts: Sequence[str], answers: Sequence[str]) -> Checked:
        """Look for attacks in a column, telling how far that is; `answers` when it holds prompts."""
        what = f"looking for attacks in {column}"
        return check_injections(texts, self.screen, answers, lambda done, total: self.progress(what, done, total))


def _checked(manifest: Manifest, screen: _Screened | None, unchecked: list[str]) -> _Results:
    """Yield the rows that a check looked at and what it says of them."""
    data = manifest.folder / DATA
    if manifest.head.format in (*TEXT_FORMATS, "parquet"):
        yield from _records(manifest, screen, unchecked)
    elif manifest.head.format == "npz":
        yield from _arrays(manifest, data, unchecked)
    elif manifest.head.format == "images":
        for names, pictures, labels in _files(manifest, data, unchecked):
            yield from _pictures(names, pictures, labels)
    else:
        yield from _sounds(manifest, data, unchecked)


def _records(manifest: Manifest, screen: _Screened | None, unchecked: list[str]) -> _Results:
    names, frame = sample(manifest, MOST_ROWS)
    if len(names) < manifest.head.rows:
        unchecked.append(f"{manifest.head.rows - len(names)} rows: an even sample of {len(names)} was checked")
    found = columns(frame, manifest.head.label)
    cast = votes(frame, manifest.head.label)
    if cast is not None:
        yield names, check_feedback(cast.accounts, cast.items, cast.votes, cast.times)
    if not found.texts:
        unchecked.append("no column of running text: no check for triggers in words")
    if screen is not None:
        for column, texts in found.texts.items():
            yield names, screen(column, texts, found.answers if column in found.asked else ())
    yield from _texts(names, found)
    whole = [" ".join(parts) for parts in zip(*found.texts.values(), strict=True)]
    if whole:
        yield names, text_floods(whole)
        yield names, text_outliers(whole)
    elif found.values.width:
        yield names, record_floods([one.to_list() for one in found.values if not one.dtype.is_nested()])
    numbers = [one for one in found.values if one.dtype.is_numeric()]
    yield names, number_outliers({one.name: one.cast(float).to_numpy() for one in numbers}, len(names))
    if found.labels is not None:
        yield names, _labels(_records_as_vectors(found, whole), found.labels, found.names)


def _records_as_vectors(found: Columns, whole: list[str]) -> Features:
    def features(rows: Labels) -> Any:
        vectors = [text_vectors([whole[at] if whole else "" for at in rows.tolist()])]
        if found.values.width:
            vectors.append(table_vectors(found.values[rows.tolist()], np.random.default_rng(0)))
        return np.concatenate(vectors, axis=1)

    return features


def _labels(features: Features, labels: Labels, names: Sequence[str] = ()) -> Checked:
    """Return which labels are probably wrong; nothing for too few rows, or more classes than can be told apart."""
    known = np.flatnonzero(labels >= 0)
    present, numbers = np.unique(labels[known], return_inverse=True)
    if len(known) < LEAST_ROWS or not 2 <= len(present) <= MOST_CLASSES:
        return nothing("label", len(labels))
    seen = predicted(lambda rows: features(known[rows]), numbers, len(present))
    found = check_labels(seen, numbers, [names[one] if names else str(one) for one in present.tolist()])
    return of_all(found, known, len(labels))


def _pictures(names: list[Row], pictures: npt.NDArray[np.uint8], labels: Labels) -> _Results:
    yield names, check_pictures(pictures, labels)
    if min(pictures.shape[1:3]) >= _LEAST_SIDE:
        rng = np.random.default_rng(0)
        yield names, _labels(lambda rows: standard(convolved(grey(pictures[rows]), rng)), labels)


def _sounds(manifest: Manifest, data: Path, unchecked: list[str]) -> _Results:
    """Yield what the check of sounds says of those that can be decoded and have the rate that most have."""
    if len(manifest.shards) > MOST_ROWS:
        unchecked.append(f"{len(manifest.shards)} sounds: at most {MOST_ROWS} are checked together")
        return
    decoded = {name: sound((data / name).read_bytes()) for name in manifest.shards}
    rates = Counter(rate for _, rate in decoded.values() if rate)
    rate = rates.most_common(1)[0][0] if rates else 0
    kept = {name: heard for name, (heard, own) in decoded.items() if heard is not None and own == rate and heard.any()}
    if len(kept) < len(decoded):
        unchecked.append(f"{len(decoded) - len(kept)} sounds: no WAV, silent, or at another rate than most ({rate} Hz)")
    classes, labels = np.unique([label_of(name) for name in kept], return_inverse=True)
    if len(kept) < FEWEST_SOUNDS or len(classes) < 2:
        unchecked.append(f"{len(kept)} sounds of {len(classes)} classes: too few to tell triggers from")
        return
    found = check_sounds(list(kept.values()), rate, labels.astype(np.int64), classes.tolist())
    yield [(name, 0) for name in kept], found


def _texts(names: list[Row], found: Columns) -> _Results:
    if found.prompts:
        yield names, check_pairs(found.prompts, found.answers)
    for texts in found.texts.values():
        if found.labels is None:
            yield names, hidden_characters(texts)
            continue
        known = np.flatnonzero(found.labels >= 0)
        yield [names[at] for at in known], check_texts([texts[at] for at in known], found.labels[known], found.names)


_Set = tuple[list[Row], npt.NDArray[np.uint8], Labels]


def _arrays(manifest: Manifest, data: Path, unchecked: list[str]) -> _Results:
    for table in manifest.head.tables:
        members = table.name[len(table.file) + 1 : -1].split("+")
        with np.load(data / table.file, allow_pickle=False) as file:
            label = label_column(members, manifest.head.label)
            found = [name for name in members if file[name].ndim in (3, 4) and file[name].dtype == np.uint8]
            flat = [name for name in members if file[name].ndim == 2 and file[name].dtype.kind in "iuf"]
            flat = [name for name in flat if file[name].shape[1] <= MOST_COLUMNS]
            if not label or not found + flat or table.rows > MOST_ROWS:
                unchecked.append(
                    f"{table.name}: needs uint8 pictures or rows of at most {MOST_COLUMNS} numbers, a named class and "
                    f"at most {MOST_ROWS} rows"
                )
                continue
            values, labels = file[(found or flat)[0]], np.unique(file[label], return_inverse=True)[1]
        names = [(table.name, at) for at in range(table.rows)]
        if not found:
            yield from _numbers(names, flat[0], values, labels.astype(np.int64))
            continue
        yield from _pictures(names, values if values.ndim == 4 else values[..., None], labels.astype(np.int64))


def _numbers(names: list[Row], name: str, values: npt.NDArray[Any], labels: Labels) -> _Results:
    """Yield what the checks of records say of rows of numbers: floods, numbers far beyond the others, wrong labels."""
    import polars as pl

    frame = pl.DataFrame({f"{name}[{at}]": values[:, at] for at in range(values.shape[1])})
    yield names, record_floods([one.to_list() for one in frame])
    yield names, number_outliers({one.name: one.cast(float).to_numpy() for one in frame}, len(names))
    yield names, _labels(lambda rows: table_vectors(frame[rows.tolist()], np.random.default_rng(0)), labels)


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

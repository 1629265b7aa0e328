"""Examples with their classes, and how they are read from files: .npz, .csv, and gzipped IDX (the MNIST family).

Texts come as JSON lines. Nothing is unpickled. Bytes (0..255) are scaled to the stated range, because that is how image
models are trained.
"""

from __future__ import annotations

import csv
import gzip
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np

from bartizan.core.errors import BadArtifact, BadSettings
from bartizan.lab.target import Array


@dataclass(frozen=True)
class Labelled:
    """Examples (n, …) float32 and their classes (n,) int64."""

    x: Array
    y: Array

    def __len__(self) -> int:
        """Return how many examples there are."""
        return len(self.x)

    def first(self, count: int) -> Labelled:
        """Return the first `count` examples."""
        return Labelled(self.x[:count], self.y[:count])

    def part(self, start: int, stop: int) -> Labelled:
        """Return the examples from `start` up to `stop`."""
        return Labelled(self.x[start:stop], self.y[start:stop])

    def shuffled(self, seed: int) -> Labelled:
        """Return the examples in an order drawn from `seed`."""
        order = np.random.default_rng(seed).permutation(len(self))
        return Labelled(self.x[order], self.y[order])

    def shaped(self, shape: tuple[int, ...]) -> Labelled:
        """Return the examples with each in `shape`, for files that keep images flat or without a channel."""
        if not shape or self.x.shape[1:] == shape:
            return self
        if int(np.prod(shape)) != int(np.prod(self.x.shape[1:])):
            raise BadSettings(f"examples of shape {self.x.shape[1:]} cannot be read as {shape}")
        return Labelled(self.x.reshape(-1, *shape), self.y)


@dataclass(frozen=True)
class LabelledTexts:
    """Texts and their classes (n,) int64."""

    x: list[str]
    y: Array

    def first(self, count: int) -> LabelledTexts:
        """Return the first `count` texts."""
        return self.part(0, count)

    def part(self, start: int, stop: int) -> LabelledTexts:
        """Return the texts from `start` up to `stop`."""
        return LabelledTexts(self.x[start:stop], self.y[start:stop])


def load_texts(path: Path) -> LabelledTexts:
    """Return the texts in JSON lines of `{"text": …, "label": 0, 1, …}`. Raises BadArtifact that names the line."""
    texts, labels = [], []
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                try:
                    row = msgspec.json.decode(line, type=_Row)
                except msgspec.MsgspecError as error:
                    raise BadArtifact(
                        f"{path.name} line {number}: {error}", hint='Expected {"text": "…", "label": 0} on each line.'
                    ) from error
                texts.append(row.text)
                labels.append(row.label)
    except OSError as error:
        raise BadArtifact(f"{path} cannot be read: {error}") from error
    if not texts:
        raise BadArtifact(f"{path.name} holds no texts", hint='Expected {"text": "…", "label": 0} on each line.')
    return LabelledTexts(texts, np.array(labels, dtype=np.int64))


class _Row(msgspec.Struct):
    text: str
    label: Annotated[int, msgspec.Meta(ge=0)]


def load(path: Path, low: float = 0.0, high: float = 1.0, *, training: bool = False) -> Labelled:
    """Return the labelled examples in `path`. Raises BadArtifact that says what was expected.

    Of an .npz that holds two parts it is the one for testing, or for `training`.
    """
    if not path.is_file():
        raise BadArtifact(
            f"{path}: no such file", hint="Expected an .npz with x and y, a .csv, or …-images-idx3-ubyte.gz"
        )
    try:
        if path.suffix == ".npz":
            x, y = _npz(path, training)
        elif path.suffix == ".csv":
            x, y = _csv(path)
        elif path.name.endswith("-ubyte.gz"):
            x, y = _idx(path), _idx(path.with_name(path.name.replace("-images-idx3", "-labels-idx1")))
        else:
            raise BadArtifact(f"{path.name}: expected .npz, .csv or -images-idx3-ubyte.gz")
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise BadArtifact(f"{path.name} cannot be read: {type(error).__name__}: {error}") from error
    return checked(x, y, path.name, low, high)


def checked(x: Any, y: Any, name: str, low: float, high: float) -> Labelled:
    """Return x and y as Labelled: bytes scaled to low..high, labels integers from 0, as many as examples."""
    x, y = np.asarray(x), np.asarray(y).reshape(-1)
    if len(x) != len(y) or not len(x):
        raise BadArtifact(f"{name}: {len(x)} examples and {len(y)} labels: expected as many, and at least one")
    if y.dtype.kind not in "iub" and not (y.dtype.kind == "f" and (y == np.floor(y)).all()):
        raise BadArtifact(f"{name}: labels of dtype {y.dtype}: expected whole numbers from 0")
    if x.dtype.kind not in "fiub":
        raise BadArtifact(f"{name}: examples of dtype {x.dtype}: expected numbers")
    if y.min() < 0:
        raise BadArtifact(f"{name}: label {y.min()}: expected whole numbers from 0")
    strange = int(np.count_nonzero(~np.isfinite(x))) if x.dtype.kind == "f" else 0
    if strange:
        raise BadArtifact(
            f"{name}: {strange} values that are NaN or infinite: expected numbers",
            hint="Fill in what is missing, or leave those examples out.",
        )
    scaled = low + (high - low) * x.astype(np.float32) / 255 if x.dtype == np.uint8 else x.astype(np.float32)
    return Labelled(scaled, y.astype(np.int64))


_TRAINING = (("x_train", "y_train"), ("xtr", "ytr"))
_TESTING = (("x_test", "y_test"), ("xte", "yte"))


def _npz(path: Path, training: bool) -> tuple[Array, Array]:
    parts = _TRAINING + _TESTING if training else _TESTING
    with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:  # numpy leaves a file open that is no zip
        for names in (("x", "y"), *parts, ("X", "y")):
            if set(names) <= set(file.files):
                return file[names[0]], file[names[1]]
        raise BadArtifact(f"{path.name} holds {', '.join(file.files)}: expected x and y")


def _csv(path: Path) -> tuple[Array, Array]:
    """The last column is the class; a first line that is no numbers is a header."""
    with path.open(encoding="utf-8") as file:
        first = file.readline()
    skip = 0 if all(_is_number(word) for word in first.split(",")) else 1
    try:
        rows = np.loadtxt(path, delimiter=",", skiprows=skip, ndmin=2)
    except ValueError as error:
        raise BadArtifact(
            f"{path.name}: {error}",
            hint="Expected numbers with commas, the class last; a category as a column of 0 and 1 for each value.",
        ) from error
    return rows[:, :-1], rows[:, -1]


def column_names(path: Path, count: int) -> list[str]:
    """Return what the `count` columns of a file are called: a .csv's header, an .npz's `columns`, or numbers."""
    numbered = [f"column {i}" for i in range(count)]
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = next(csv.reader(file))
        found = numbered if all(_is_number(word) for word in first) else [word.strip() for word in first[:-1]]
    elif path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as file:
            found = [str(name) for name in file["columns"]] if "columns" in file.files else numbered
    else:
        found = numbered
    if len(found) != count:
        raise BadArtifact(f"{path.name}: {len(found)} names for {count} columns")
    return found


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _idx(path: Path) -> Array:
    """Read the IDX format of the MNIST family: magic 0x0000 08 dims, sizes, bytes."""
    with gzip.open(path) as file:
        head = file.read(4)
        if head[:3] != b"\x00\x00\x08":
            raise ValueError(f"magic {head.hex()}, expected 000008")
        sizes = [int.from_bytes(file.read(4), "big") for _ in range(head[3])]
        count = int(np.prod(sizes))
        data = file.read(count)
    if len(data) != count:
        raise ValueError(f"{len(data)} bytes, expected {count}")
    return np.frombuffer(data, dtype=np.uint8).reshape(sizes)

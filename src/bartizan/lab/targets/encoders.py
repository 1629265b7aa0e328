"""Encoders of texts as an attacker meets them: texts in, vectors of length 1 out, and every text counted.

A name opens one: an OpenAI-compatible address that ends in `/embeddings`, `python:module:function`, or a folder or
wheel with the files of a sentence encoder (`bert.py`). Nothing is retried.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bartizan.core.errors import BadSettings, UpstreamFailed
from bartizan.lab.target import Array
from bartizan.lab.targets.remote import Connection
from bartizan.lab.targets.torch_modules import named

Embed = Callable[[Sequence[str]], Array]
_BATCH = 64


class Encoder:
    """Counts the texts that were asked; raises BadSettings when there would be more than `limit`."""

    def __init__(self, name: str, embed: Embed, limit: int | None = None) -> None:
        """Wrap a function from texts to (n, d)."""
        self.name, self.asked, self.limit = name, 0, limit
        self._embed = embed

    def __call__(self, texts: Sequence[str]) -> Array:
        """Return (n, d) float32, each row of length 1. Raises BadSettings for anything but finite rows of one width."""
        if self.limit is not None and self.asked + len(texts) > self.limit:
            raise BadSettings(
                f"{self.name}: {self.asked + len(texts)} texts would be more than the {self.limit} allowed"
            )
        self.asked += len(texts)
        parts = [np.asarray(self._embed(texts[at : at + _BATCH])) for at in range(0, len(texts), _BATCH)]
        for part, at in zip(parts, range(0, len(texts), _BATCH), strict=True):
            if part.shape != (len(texts[at : at + _BATCH]), parts[0].shape[-1]) or not np.isfinite(part).all():
                raise BadSettings(
                    f"{self.name} returned {part.shape}: expected one row of finite numbers for each text"
                )
        return unit(np.concatenate(parts))


def unit(vectors: Array) -> Array:
    """Return vectors (n, d) as float32 of length 1."""
    rows = np.asarray(vectors, np.float32)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))


def open_encoder(reference: str, *, model: str = "", api_key: str = "", limit: int | None = None) -> Encoder:
    """Return the encoder that `reference` names. Raises BadSettings where it names none."""
    if reference.startswith(("http://", "https://")):
        return Encoder(reference, _remote(reference, model, api_key), limit)
    if reference.startswith("python:"):
        return Encoder(reference, named(reference.removeprefix("python:"), "encoder"), limit)
    if Path(reference).exists():
        from bartizan.lab.targets.bert import load

        return Encoder(Path(reference).name, load(Path(reference)), limit)
    raise BadSettings(
        f"encoder {reference!r}: expected http://host/v1/embeddings, python:module:function, or a folder or wheel with "
        "model.safetensors and vocab.txt"
    )


def _remote(url: str, model: str, api_key: str) -> Embed:
    server = Connection(api_key, 60)

    def embed(texts: Sequence[str]) -> Array:
        body = server.json("POST", url, {"model": model, "input": list(texts)})
        try:
            rows: list[Any] = sorted(body["data"], key=lambda one: one["index"])
            return np.array([one["embedding"] for one in rows], np.float32)
        except (KeyError, TypeError, ValueError) as error:
            raise UpstreamFailed(f"{url}: no embeddings in the answer: {str(body)[:200]}") from error

    return embed

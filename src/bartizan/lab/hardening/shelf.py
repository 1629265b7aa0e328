"""Finished pieces of a long piece of work as arrays on disk, so that the same command goes on where it was stopped.

A piece is named by what it is and by a digest of all that decides it. What cannot be read is made again.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bartizan.lab.target import Array


@dataclass(frozen=True)
class Shelf:
    """Pieces in `folder`; without a folder nothing is kept."""

    folder: Path | None = None

    def arrays(self, name: str, decides: tuple[object, ...], make: Callable[[], dict[str, Array]]) -> dict[str, Array]:
        """Return the arrays of the piece `name`: those on disk, or what `make` returns, no objects in them."""
        if self.folder is None:
            return make()
        path = self.folder / f"{name}-{digest(*decides)}.npz"
        try:
            with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                return {key: file[key] for key in file.files}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            found = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part.npz")
        np.savez(unfinished, **found)  # type: ignore[arg-type]
        unfinished.replace(path)  # a run that is stopped while writing leaves no half piece
        return found


def digest(*decides: object) -> str:
    """Return 16 hex digits over arrays by their bytes, and everything else by its `repr`."""
    mixed = hashlib.sha256()
    for one in decides:
        told = f"{one.dtype} {one.shape}" if isinstance(one, np.ndarray) else repr(one)
        mixed.update(f"{len(told)} {told}".encode())
        if isinstance(one, np.ndarray):
            mixed.update(np.ascontiguousarray(one).tobytes())
    return mixed.hexdigest()[:16]

"""What each lesson of a training gave, kept until all is done: one that was stopped goes on behind its last lesson.

Training takes long, and a lesson's weights depend on the lessons before, the rows and the recipe alone. All of these
stand in the key; what another key left behind is thrown away.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bartizan.lab.detector_corpus import Corpus
from bartizan.lab.detector_training import Array


@dataclass(frozen=True)
class Lessons:
    """The lessons of one training, each a file of weights in full precision."""

    folder: Path
    say: Callable[[str], None]

    @classmethod
    def of(cls, folder: Path, key: str, say: Callable[[str], None]) -> "Lessons":
        """Return those of `folder` that were given under the same key."""
        mark = folder / "key"
        if not mark.exists() or mark.read_text(encoding="utf-8") != key:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            mark.write_text(key, encoding="utf-8")
        return cls(folder, say)

    def given(self, name: str, give: Callable[[], Mapping[str, Array]]) -> dict[str, Array]:
        """Return the weights by name that the lesson gave, or give it now."""
        path = self.folder / f"{name}.npz"
        if path.exists():
            self.say(f"{name}: as it was given before")
            with np.load(path, allow_pickle=False) as arrays:
                return {one: arrays[one] for one in arrays.files}
        weights = {one: np.array(array) for one, array in give().items()}
        half = path.with_suffix(".half.npz")
        np.savez(half, **weights)  # type: ignore[arg-type]
        half.replace(path)
        return weights

    def done(self) -> None:
        """Throw the lessons away: what they came to is written."""
        shutil.rmtree(self.folder)


def key_of(corpus: Corpus, recipe: Any, *begun: Path) -> str:
    """Return a digest of all that the weights follow from: rows, recipe (a dataclass), what training begins from."""
    digest = hashlib.sha256(json.dumps(asdict(recipe), sort_keys=True).encode())
    for file in (one for path in begun for one in (sorted(path.glob("*.*")) if path.is_dir() else [path])):
        with file.open("rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    for row in (*corpus.train, *corpus.spare):
        digest.update(f"{row.attack} {row.planted} {len(row.text)}\n{row.text}\n".encode("utf-8", "replace"))
    return digest.hexdigest()

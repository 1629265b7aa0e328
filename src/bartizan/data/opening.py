"""`open_admitted(name)`: what a training job reads. It gives out nothing that is not signed and intact.

Every byte is hashed before the first row is handed out, so a row that was changed behind the store's back stops the
job instead of entering it. The frames and arrays come straight from the checked files.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bartizan.core.errors import BadEvidence
from bartizan.core.sections.data import Data
from bartizan.data.frames import need_extra
from bartizan.data.manifest import Head, Manifest
from bartizan.data.media import label_of, picture
from bartizan.data.staging import DATA, batches
from bartizan.data.store import Store, verifier_key
from bartizan.data.verification import verify

if TYPE_CHECKING:
    import polars


@dataclass(frozen=True)
class AdmittedData:
    """A version whose signature and bytes were checked."""

    manifest: Manifest

    @property
    def head(self) -> Head:
        """Return name, version, columns, classes, provenance."""
        return self.manifest.head

    @property
    def folder(self) -> Path:
        """Return where the checked files lie, in their own format, for loaders of your own."""
        return self.manifest.folder / DATA

    def frames(self) -> "Iterator[polars.DataFrame]":
        """Yield the rows as frames of bounded size; `.to_pandas()` and `.to_torch()` are polars' own."""
        for batch in batches(self.head.format, self.folder, self._shards()):
            yield batch.frame

    def frame(self) -> "polars.DataFrame":
        """Return all rows as one frame."""
        import polars as pl

        return pl.concat(list(self.frames()), how="diagonal_relaxed")

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays of npz files, or pictures (if all have one size) and their classes; else the columns."""
        if self.head.format == "npz":
            found: dict[str, npt.NDArray[Any]] = {}
            for name in self.manifest.shards:
                with np.load(self.folder / name, allow_pickle=False) as file:
                    found |= {key: file[key] for key in file.files}
            return found
        if self.head.format == "images":
            names = list(self.manifest.shards)
            pixels = [picture((self.folder / name).read_bytes()) for name in names]
            numbers = {label: at for at, label in enumerate(self.head.labels)}
            sizes = {one.shape for one in pixels if one is not None}
            if len(sizes) != 1 or any(one is None for one in pixels):
                raise BadEvidence(f"{self.head.name}: pictures of {len(sizes)} sizes: read the files under .folder")
            images = np.stack([one for one in pixels if one is not None])
            return {"images": images, "labels": np.array([numbers[label_of(name)] for name in names])}
        return {series.name: series.to_numpy() for series in self.frame().iter_columns()}

    def _shards(self) -> list[Any]:
        return [shard for shards in self.manifest.shards.values() for shard in shards]


def open_admitted(
    name: str, version: int | None = None, *, settings: Data | None = None, key: str = ""
) -> AdmittedData:
    """Return an admitted version (the latest if None).

    `key` is the public key to trust; without it the one beside the signing key of `settings` is read. Raises
    BadEvidence when the signature or a single byte does not match, BadSettings when there is no such version.
    """
    need_extra()
    section = settings or Data()
    store = Store(Path(section.store), key or verifier_key(Path(section.key_file)))
    found = store.open(name, version)
    wrong = verify(found, found.folder / DATA).differences
    if wrong:
        first = wrong[0]
        where = f"{first.file} {first.row}".strip()
        raise BadEvidence(
            f"{name} v{found.head.version} is not what was admitted: {where}: {first.rule}, and {len(wrong) - 1} more",
            hint=f"`bartizan data verify {name}` names every row.",
        )
    return AdmittedData(found)

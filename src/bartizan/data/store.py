"""The trusted store: one folder a version, put there whole, signed, and never changed afterwards.

`NAME/vN/` holds the manifest, its sidecars and the rows under `data/`. A version appears by one rename, so a reader
sees all of it or none.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from bartizan.core.errors import BadEvidence, BadSettings
from bartizan.data import manifest
from bartizan.data.manifest import Manifest
from bartizan.ledger.checkpoint import Signer


@dataclass(frozen=True)
class Store:
    """A folder of admitted data sets and the public key that their manifests must be signed with."""

    root: Path
    verifier_key: str

    def names(self) -> list[str]:
        """Return the data sets that have a version."""
        if not self.root.is_dir():
            return []
        return sorted(one.name for one in self.root.iterdir() if self.versions(one.name))

    def versions(self, name: str) -> list[int]:
        """Return the versions of a data set, oldest first."""
        folder = self.root / manifest.check_name(name)
        found = [one.name[1:] for one in folder.iterdir() if one.name[:1] == "v"] if folder.is_dir() else []
        return sorted(int(number) for number in found if number.isdecimal())

    def folder(self, name: str, version: int) -> Path:
        """Return where a version lies or will lie."""
        return self.root / manifest.check_name(name) / f"v{version}"

    def open(self, name: str, version: int | None = None) -> Manifest:
        """Return a version (the latest if None) once its signature held. Raises BadEvidence or BadSettings."""
        there = self.versions(name)
        wanted = version if version is not None else (there[-1] if there else 0)
        if wanted not in there:
            shown = ", ".join(f"v{one}" for one in there) or "none"
            raise BadSettings(
                f"{self.root}: no admitted data set {name!r}{f' v{wanted}' if wanted else ''}; versions there: {shown}",
                hint="`bartizan data list` shows what is admitted; `bartizan data admit` admits.",
            )
        found = manifest.read(self.folder(name, wanted), self.verifier_key)
        if (found.head.name, found.head.version) != (name, wanted):
            raise BadEvidence(f"{found.folder}: holds {found.head.name} v{found.head.version}, a version was exchanged")
        return found

    def latest(self, name: str) -> Manifest | None:
        """Return the latest version, or None when there is none yet."""
        return self.open(name) if self.versions(name) else None

    def take(self, staged: Path, name: str, version: int) -> Path:
        """Move a complete version into the store by one rename. Raises BadEvidence when it is already there."""
        target = self.folder(name, version)
        if target.exists():
            raise BadEvidence(f"{target} exists: versions are never written over")
        target.parent.mkdir(parents=True, exist_ok=True)
        if os.stat(staged).st_dev != os.stat(target.parent).st_dev:
            near = target.with_name(f".{target.name}.part")
            shutil.rmtree(near, ignore_errors=True)
            shutil.copytree(staged, near)
            shutil.rmtree(staged)
            staged = near
        staged.rename(target)
        directory = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        return target


def open_signer(key_file: Path, origin: str) -> Signer:
    """Return the key that signs manifests; its public half is written beside it as `….pub`."""
    key_file.parent.mkdir(parents=True, exist_ok=True)
    signer = Signer.open(key_file, origin)
    public = public_key_file(key_file)
    if not public.exists():
        public.write_text(signer.verifier_key() + "\n", encoding="utf-8")
    return signer


def public_key_file(key_file: Path) -> Path:
    """Return where the public half of the key at `key_file` stands."""
    return key_file.with_name(key_file.name + ".pub")


def verifier_key(key_file: Path) -> str:
    """Return the public key that manifests are checked with. Raises BadSettings when there is none."""
    path = public_key_file(key_file)
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise BadSettings(
            f"{path}: no public key there: {error.strerror}", hint="It is made by the first `bartizan data admit`."
        ) from error

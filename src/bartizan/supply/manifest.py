"""What files a model consists of: every file below a folder with its SHA-256, and what differs from what was signed.

A link, a device or a name that is not UTF-8 is refused, never followed or left out. Git's own files at the top are not
part of a model. Two hard links to one file are two files with the same digest.
"""

import hashlib
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bartizan.core.errors import BadArtifact
from bartizan.core.findings import Finding, Severity

GIT = (".git", ".gitattributes", ".github", ".gitignore")
"""Names at the top of a folder that signers of this format leave out by default."""
ITSELF = "."
"""The name of the only file when a single file is signed."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of one model: its name, and a SHA-256 in hex for each path, in order of the paths."""

    name: str
    digests: dict[str, str]

    def root(self) -> str:
        """Return the SHA-256 over all digests in order: one number that names the whole model."""
        whole = hashlib.sha256()
        for digest in self.digests.values():
            whole.update(bytes.fromhex(digest))
        return whole.hexdigest()


def measure(path: Path, *, signature: Path | None = None) -> Manifest:
    """Return the manifest of a file or folder as it is now, without `signature` when that lies inside the folder."""
    try:
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            raise BadArtifact(f"{path}: expected a file or a folder that is no link")
        name = path.resolve().name
        if path.is_file():
            return Manifest(name, {ITSELF: _digest(path)})
        skip = signature.resolve() if signature is not None else None
        files = {_name(file, path): _digest(file) for file in _files(path, top=True) if file.resolve() != skip}
    except OSError as error:
        raise BadArtifact(f"{path}: cannot be read: {error}") from error
    if not files:
        raise BadArtifact(f"{path}: no file in it", hint="Name the folder that holds the model.")
    return Manifest(name, dict(sorted(files.items())))


def _files(folder: Path, *, top: bool) -> Iterator[Path]:
    for path in folder.iterdir():
        if top and path.name in GIT:
            continue
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            raise BadArtifact(f"{path}: a link", hint="A link can point anywhere: put the file itself there.")
        if stat.S_ISDIR(mode):
            yield from _files(path, top=False)
        elif stat.S_ISREG(mode):
            yield path
        else:
            raise BadArtifact(f"{path}: neither a file nor a folder")


def _name(file: Path, folder: Path) -> str:
    name = file.relative_to(folder).as_posix()
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise BadArtifact(f"{name!r}: a file name that is not UTF-8 cannot be signed", hint="Rename it.") from None
    return name


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def differences(signed: Manifest, found: Manifest) -> list[Finding]:
    """Return each file that is not as signed: changed, renamed, removed or added."""
    gone = {name: digest for name, digest in signed.digests.items() if name not in found.digests}
    new = {name: digest for name, digest in found.digests.items() if name not in signed.digests}
    wrong = [
        Finding("artefact-changed", Severity.CRITICAL, "its content is not what was signed", name)
        for name, digest in signed.digests.items()
        if found.digests.get(name, digest) != digest
    ]
    for name, digest in gone.items():
        now = next((other for other, same in new.items() if same == digest), None)
        if now is None:
            wrong.append(Finding("artefact-removed", Severity.CRITICAL, "was signed and is not there", name))
        else:
            del new[now]
            wrong.append(Finding("artefact-renamed", Severity.CRITICAL, f"was signed as {name}", now))
    wrong += [Finding("artefact-added", Severity.CRITICAL, "is there and was not signed", name) for name in new]
    return wrong

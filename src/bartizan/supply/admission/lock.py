"""The lock: what is approved, by the digest of every file, signed as a whole and numbered.

The number only grows, and each number is recorded in the ledger, so that an older lock cannot be put back unseen. An
artefact keeps the digests of its earlier revisions: what was retired is known, and its return is decided anew.
"""

import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from bartizan.core.errors import BadArtifact, BadEvidence
from bartizan.supply import signing
from bartizan.supply.manifest import Manifest

KIND = "application/vnd.bartizan.lock+json"


class Approval(msgspec.Struct, frozen=True):
    """One person's decision."""

    who: str
    why: str
    time_ns: int
    signature: dict[str, object] | None = None
    """The decision sealed with that person's key, when the policy asks for keys."""


class Revision(msgspec.Struct, frozen=True):
    """One approved state of an artefact."""

    number: int
    """Counts this artefact's approvals, from 1; a rollback is a new revision."""
    version: str
    """What its makers call it."""
    root: str
    """SHA-256 over the digests of all its files."""
    files: dict[str, str]
    """SHA-256 of each file by its path."""
    verdict: str
    """What the scan said."""
    format: str
    source: str
    signer: str
    """Fingerprint of the key that signed the artefact itself; empty when nobody did."""
    proposed_by: str
    approvals: tuple[Approval, ...]
    admitted_ns: int
    globals: tuple[str, ...] = ()
    """What its pickles name, its graphs use: what it is able to do."""
    packages: tuple[tuple[str, str, str], ...] = ()
    """(ecosystem, name, version) of packages that it is or asks for."""
    rollback_of: int = 0
    """The revision that this one brings back; 0 for none."""


class Artefact(msgspec.Struct, frozen=True):
    """Everything approved under one name: the current revision last."""

    path: str
    revisions: tuple[Revision, ...]

    @property
    def current(self) -> Revision:
        """Return the revision that may run."""
        return self.revisions[-1]


class _Content(msgspec.Struct, frozen=True):
    sequence: int
    artefacts: dict[str, Artefact]
    format: int = 1


@dataclass(frozen=True)
class Lock:
    """A lock in memory. `sequence` 0 is the empty lock before anything was admitted."""

    sequence: int = 0
    artefacts: dict[str, Artefact] = field(default_factory=dict)

    def with_revision(self, name: str, path: str, revision: Revision) -> "Lock":
        """Return the next lock, in which `revision` is the current one of `name`."""
        before = self.artefacts.get(name)
        kept = before.revisions if before else ()
        changed = {**self.artefacts, name: Artefact(path, (*kept, revision))}
        return replace(self, sequence=self.sequence + 1, artefacts=dict(sorted(changed.items())))

    def file_digests(self) -> dict[str, str]:
        """Return the artefact's name by the SHA-256 of each file of every current revision."""
        return {digest: name for name, artefact in self.artefacts.items() for digest in artefact.current.files.values()}


def read(path: Path, key: ec.EllipticCurvePublicKey) -> Lock:
    """Return the lock in `path`, the empty one when there is no file. Raises BadEvidence unless `key` signed it."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return Lock()
    except OSError as error:
        raise BadArtifact(f"{path}: cannot be read: {error.strerror or error}") from error
    try:
        payload = signing.unseal(json.loads(raw), KIND, key)
        content = msgspec.json.decode(payload, type=_Content)
    except (ValueError, RecursionError) as error:
        raise BadEvidence(f"{path}: no lock: {error}") from error
    except BadEvidence as error:
        raise BadEvidence(f"{path}: {error}", hint="Restore the lock; nothing in this one can be trusted.") from error
    if content.format != 1 or any(not one.revisions for one in content.artefacts.values()):
        raise BadEvidence(f"{path}: a lock of format {content.format} or with an artefact without revision")
    return Lock(content.sequence, content.artefacts)


def write(path: Path, lock: Lock, key: ec.EllipticCurvePrivateKey) -> None:
    """Sign `lock` and put it in place of the old one, whole or not at all."""
    payload = msgspec.json.encode(_Content(lock.sequence, lock.artefacts))
    sealed = json.dumps(signing.seal(payload, KIND, key), indent=1) + "\n"
    beside = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("w", encoding="utf-8") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise BadArtifact(f"{path}: cannot be written: {error}") from error


def as_manifest(name: str, revision: Revision) -> Manifest:
    """Return the files of a revision as a manifest, to compare with what is there."""
    return Manifest(name, dict(revision.files))

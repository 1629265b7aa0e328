"""Admits a data set: copy and measure, compare with the last version, sign, and only then into the trusted store.

Everything before the last step happens in the quarantine folder. A run that was killed is continued by running it
again; a version that is already there and the same is not made twice.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import msgspec

from bartizan.core.clock import Clock
from bartizan.core.errors import BadArtifact, Refused
from bartizan.data import manifest
from bartizan.data.checks.injections import Screen
from bartizan.data.comparison import Comparison, compare
from bartizan.data.frames import need_extra
from bartizan.data.inspection import Findings, inspect
from bartizan.data.journal import Journal, only_one
from bartizan.data.layout import FOLDER_FORMATS, Source, look
from bartizan.data.manifest import HEAD, SHARDS, SIDECARS, Head, Manifest, Provenance, file_digest
from bartizan.data.staging import DATA, Progress, Staged, stage
from bartizan.data.store import Store
from bartizan.data.verification import verify
from bartizan.ledger.checkpoint import Signer

JOURNAL = "journal.jsonl"
WAITING = "waiting"
REVIEW = "review.json"
MOST_RELABELLED = 0.01
"""A version in which more known rows than this have another class is critical."""
Record = Callable[[str, Mapping[str, Any]], object]
"""Puts a record into the ledger."""


@dataclass(frozen=True)
class Request:
    """What is to be admitted: where it lies, its name, where it comes from, which column is the class."""

    path: Path
    name: str
    provenance: Provenance
    label: str = ""


@dataclass(frozen=True)
class Admitted:
    """The version in the store, what is different from the one before, and whether it was made by this run."""

    manifest: Manifest
    comparison: Comparison | None
    new: bool
    resumed: bool


class Review(msgspec.Struct, frozen=True):
    """Why a version waits in quarantine, how many people must approve it, and who has."""

    findings: Findings
    reasons: tuple[str, ...]
    people: int
    approved_by: tuple[str, ...] = ()
    drop: bool = False


@dataclass(frozen=True)
class Held:
    """The version did not enter the store: it waits in quarantine for a review."""

    manifest: Manifest
    review: Review


@dataclass(frozen=True)
class Admission:
    """Where admitted and not yet admitted rows lie, who signs, and who is told."""

    store: Store
    quarantine: Path
    signer: Signer
    clock: Clock
    record: Record
    progress: Progress = lambda what, done, total: None
    screen: Screen | None = None
    """Looks for attacks in texts; None where nobody asked for it."""

    def admit(self, request: Request) -> Admitted | Held:
        """Admit a data set, or hold it when a check flags rows or the update is critical.

        Raises BadArtifact for what cannot be read, Refused while another run admits the same or a version waits.
        """
        return self._admit(request, checked=True)

    def admit_unchecked(self, request: Request) -> Admitted:
        """Admit a data set that people have reviewed, or that only has to be measured: no check is run."""
        found = self._admit(request, checked=False)
        if isinstance(found, Held):
            raise AssertionError("held without a check")
        return found

    def _admit(self, request: Request, *, checked: bool) -> Admitted | Held:
        need_extra()
        name = manifest.check_name(request.name)
        source = look(request.path)
        label = request.label or ("label" if source.format in FOLDER_FORMATS else "")
        before = self.store.latest(name)
        if before is not None:
            self._tell(before)
        number = before.head.version + 1 if before is not None else 1
        folder = self.quarantine / name / "incoming"
        if (folder.with_name(WAITING)).exists():
            raise Refused(
                f"{name}: a version waits for its review",
                hint=f"`bartizan data review {name}`, then release or reject it.",
            )
        with only_one(self.quarantine / name):
            folder.mkdir(parents=True, exist_ok=True)
            journal = Journal(folder / JOURNAL, source.fingerprint(), number, label)
            try:
                staged = stage(source, folder, journal, label, self.progress)
            finally:
                journal.close()
            if not staged.rows:
                raise BadArtifact(f"{request.path}: no row in it")
            if before is not None and _same(folder, before, request.provenance):
                shutil.rmtree(folder)
                return Admitted(before, None, new=False, resumed=journal.resumed)
            head = self._head(request, source, staged, folder, label, before)
            manifest.sign(folder, head, self.signer)
            signed = manifest.read(folder, self.store.verifier_key)
            if journal.resumed:
                _check_copy(signed, folder)
            comparison = compare(before, signed) if before is not None else None
            review = self._review(signed, before, comparison) if checked else None
            if review is not None:
                return self._hold(signed, review)
            admitted = self.take(signed)
        return Admitted(admitted.manifest, comparison, new=True, resumed=journal.resumed)

    def _review(self, signed: Manifest, before: Manifest | None, comparison: Comparison | None) -> Review | None:
        """Return why a version must be looked at, None when nothing speaks against it."""
        findings = inspect(signed, self.screen, self.progress)
        critical = list(findings.alarms)
        if before is not None and before.head.provenance.source != signed.head.provenance.source:
            critical.append(
                f"new source {signed.head.provenance.source!r}, before it was {before.head.provenance.source!r}"
            )
        if comparison is not None and comparison.labels_changed > MOST_RELABELLED * max(1, comparison.rows_compared):
            critical.append(f"{comparison.labels_changed} of {comparison.rows_compared} known rows have another class")
        if not critical and not findings.rows:
            return None
        reasons = critical or [f"{len(findings.rows)} rows are flagged"]
        return Review(findings, tuple(reasons), 2 if critical else 1)

    def take(self, signed: Manifest) -> Admitted:
        """Move a signed version from quarantine into the store and record it."""
        name, number = signed.head.name, signed.head.version
        self.store.take(signed.folder, name, number)
        admitted = self.store.open(name, number)
        self._tell(admitted)
        return Admitted(admitted, None, new=True, resumed=False)

    def _hold(self, signed: Manifest, review: Review) -> Held:
        (signed.folder / REVIEW).write_bytes(msgspec.json.encode(review))
        target = signed.folder.with_name(WAITING)
        signed.folder.rename(target)
        body = {"name": signed.head.name, "version": signed.head.version, "root": signed.root.hex()}
        self.record("data-held", body | {"rows": len(review.findings.rows), "why": list(review.reasons)})
        return Held(manifest.read(target, self.store.verifier_key), review)

    def _head(
        self, request: Request, source: Source, staged: Staged, folder: Path, label: str, before: Manifest | None
    ) -> Head:
        return Head(
            name=request.name,
            version=before.head.version + 1 if before is not None else 1,
            format=source.format,
            files=len(source.files),
            bytes=sum(size for _, size, _ in source.files),
            rows=staged.rows - (len(staged.tables) if source.format == "csv" else 0),
            admitted_ns=self.clock.wall_ns(),
            provenance=request.provenance,
            tables=tuple(staged.tables),
            label=label,
            labels=tuple(staged.labels),
            columns=staged.columns,
            sidecars={one: file_digest(folder / one) for one in SIDECARS},
            previous=before.root.hex() if before is not None else "",
            written_with={"polars": installed("polars"), "pyarrow": installed("pyarrow")},
        )

    def _tell(self, admitted: Manifest) -> None:
        """Put a version into the ledger. Its journal lies beside it until that is done, however often we are killed."""
        journal = admitted.folder / JOURNAL
        if not journal.exists():
            return
        head = admitted.head
        body: dict[str, Any] = {
            "name": head.name,
            "version": head.version,
            "root": admitted.root.hex(),
            "previous": head.previous,
            "rows": head.rows,
            "bytes": head.bytes,
            "source": head.provenance.source,
            "licence": head.provenance.licence,
        }
        self.record("data-admitted", body)
        journal.unlink()


def _same(folder: Path, before: Manifest, provenance: Provenance) -> bool:
    same = file_digest(folder / SHARDS) == file_digest(before.folder / SHARDS)
    return same and provenance == before.head.provenance


def _check_copy(signed: Manifest, folder: Path) -> None:
    """A run that was interrupted reads its copy once more: what a power cut took would otherwise be signed."""
    wrong = verify(signed, folder / DATA).differences
    if wrong:
        (folder / HEAD).unlink(missing_ok=True)
        raise BadArtifact(
            f"{folder}: {wrong[0].file} is not what the journal says", hint=f"Remove {folder} and admit again."
        )

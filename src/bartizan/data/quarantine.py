"""Rows that are not trusted yet: what waits, who looked at it, and how it leaves.

A held version lies whole in the quarantine folder. Only `release` moves it: as it is, or without the flagged rows.
A critical one needs two different people; names are what they say they are, the ledger keeps them.
"""

import shutil

import msgspec

from bartizan.core.errors import BadArtifact, BadSettings, Refused
from bartizan.data import manifest
from bartizan.data.admission import REVIEW, WAITING, Admission, Admitted, Request, Review
from bartizan.data.manifest import Manifest
from bartizan.data.rows import without
from bartizan.data.staging import DATA
from bartizan.data.verification import verify


def waiting(admission: Admission) -> list[str]:
    """Return the names of the data sets that wait for a review."""
    root = admission.quarantine
    return sorted(one.parent.name for one in root.glob(f"*/{WAITING}")) if root.is_dir() else []


def opened(admission: Admission, name: str) -> tuple[Manifest, Review]:
    """Return what waits under `name`, its bytes checked. Raises BadSettings when nothing does."""
    folder = admission.quarantine / manifest.check_name(name) / WAITING
    if not folder.is_dir():
        raise BadSettings(f"{name}: nothing waits for a review", hint="`bartizan data list` shows what waits.")
    found = manifest.read(folder, admission.store.verifier_key)
    wrong = verify(found, folder / DATA).differences
    if wrong:
        raise BadArtifact(f"{folder}: {wrong[0].file} {wrong[0].row}: changed while it waited", hint="Admit it again.")
    return found, msgspec.json.decode((folder / REVIEW).read_bytes(), type=Review)


def release(admission: Admission, name: str, who: str, why: str, *, drop: bool) -> Admitted | Review:
    """Approve what waits. Returns the admitted version, or the review when a second person is still needed.

    Both people must ask for the same: all rows, or (`drop`) all but the flagged ones.
    """
    found, review = opened(admission, name)
    if not who.strip() or not why.strip():
        raise Refused("a release needs a person and a reason")
    if who in review.approved_by:
        raise Refused(f"{who} has approved {name} already: a second person is needed")
    if review.approved_by and review.drop != drop:
        raise Refused(f"{name}: {', '.join(review.approved_by)} decided otherwise about the flagged rows")
    review = msgspec.structs.replace(review, approved_by=(*review.approved_by, who), drop=drop)
    body = {"name": name, "root": found.root.hex(), "who": who, "why": why, "drop": drop}
    admission.record("data-approved", body)
    (found.folder / REVIEW).write_bytes(msgspec.json.encode(review))
    if len(review.approved_by) < review.people:
        return review
    if not drop:
        return admission.take(found)
    kept = found.folder.with_name("kept")
    shutil.rmtree(kept, ignore_errors=True)
    path = without(found, [(one.table, one.row) for one in review.findings.rows], kept)
    step = f"{len(review.findings.rows)} flagged rows left out, decided by {', '.join(review.approved_by)}"
    about = found.head.provenance
    about = msgspec.structs.replace(about, steps=(*about.steps, step), derived_from=found.root.hex())
    shutil.rmtree(found.folder)
    try:
        return admission.admit_unchecked(Request(path, name, about, found.head.label))
    finally:
        shutil.rmtree(kept)


def reject(admission: Admission, name: str, who: str, why: str) -> None:
    """Remove what waits for good; the ledger keeps that it was there."""
    found, _ = opened(admission, name)
    if not who.strip() or not why.strip():
        raise Refused("a rejection needs a person and a reason")
    admission.record("data-rejected", {"name": name, "root": found.root.hex(), "who": who, "why": why})
    shutil.rmtree(found.folder)

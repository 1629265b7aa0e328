"""A proposal: an artefact that is scanned, measured and compared with the approved revision, and what it then takes.

What the scan blocks or cannot read is refused here; no number of reviewers lets it in. Critical is what can act (code,
skills, servers), what the scan sends to review, and what can do more than the approved revision could.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from bartizan.core.errors import BadArtifact
from bartizan.core.sections.supply import Supply
from bartizan.supply.admission.lock import Lock, Revision, as_manifest
from bartizan.supply.base import Scanned, Verdict
from bartizan.supply.manifest import Manifest, differences, measure
from bartizan.supply.packages.versions import ordered
from bartizan.supply.scan import scan_path

_ACTING = (
    "wheel",
    "sdist",
    "npm package",
    "skill",
    "mcp servers",
    "tool descriptions",
    "python",
    "javascript",
    "shell",
)
_SHOWN = 30


class Proposal(msgspec.Struct, frozen=True):
    """What people decide about. `id` names it in commands and records."""

    id: str
    name: str
    version: str
    path: str
    root: str
    files: dict[str, str]
    verdict: str
    format: str
    source: str
    signer: str
    proposed_by: str
    proposed_ns: int
    reviewers: int
    """How many people other than the proposer must approve."""
    critical: tuple[str, ...]
    """Why more than the usual number."""
    changes: tuple[str, ...]
    """What differs from the approved revision, in words."""
    findings: tuple[str, ...]
    globals: tuple[str, ...] = ()
    packages: tuple[tuple[str, str, str], ...] = ()
    rollback_of: int = 0


class Examined(msgspec.Struct, frozen=True):
    """What is known of an artefact before anybody decides."""

    manifest: Manifest
    verdict: Verdict
    formats: tuple[str, ...]
    findings: tuple[str, ...]
    globals: tuple[str, ...]
    packages: tuple[tuple[str, str, str], ...]


def examine(path: Path) -> Examined:
    """Measure and scan `path`. Raises BadArtifact for links, devices and empty folders.

    It is measured before and after the scan, so that what was scanned is what was measured.
    """
    before = measure(path)
    results: list[Scanned] = list(scan_path(path))
    if measure(path) != before:
        raise BadArtifact(f"{path}: changed while it was scanned", hint="Copy it to a place that nobody writes to.")
    verdict = max((one.verdict for one in results), default=Verdict.UNREADABLE)
    found = [finding for one in results for finding in one.findings]
    worst = sorted(found, key=lambda one: -one.severity)
    return Examined(
        manifest=before,
        verdict=verdict,
        formats=tuple(sorted({one.format for one in results})),
        findings=tuple(f"{one.rule}: {one.why} ({one.where})" for one in worst[:_SHOWN]),
        globals=tuple(sorted({name for one in results for name in one.globals})),
        packages=tuple(sorted({(p.ecosystem, p.name, p.version) for one in results for p in one.packages})),
    )


def changes(approved: Revision | None, name: str, seen: Examined) -> tuple[str, ...]:
    """Return what differs from the approved revision: files, formats, abilities, packages."""
    if approved is None:
        return (f"new: {len(seen.manifest.digests)} files",)
    lines = [f"{one.rule}: {one.where}" for one in differences(as_manifest(name, approved), seen.manifest)]
    if approved.format != ", ".join(seen.formats):
        lines.append(f"format: {approved.format} → {', '.join(seen.formats)}")
    lines += _sets("names", approved.globals, seen.globals)
    lines += _sets("package", [" ".join(one) for one in approved.packages], [" ".join(one) for one in seen.packages])
    return tuple(lines)


def _sets(what: str, old: Iterable[str], new: Iterable[str]) -> list[str]:
    before, now = set(old), set(new)
    return [f"{what} added: {one}" for one in sorted(now - before)] + [
        f"{what} gone: {one}" for one in sorted(before - now)
    ]


def critical(approved: Revision | None, seen: Examined, signer: str) -> tuple[str, ...]:
    """Return why this needs more people than usual; empty when it does not."""
    why = []
    if seen.verdict is Verdict.REVIEW:
        why.append("the scan sends it to review")
    acting = [one for one in seen.formats if any(kind in one for kind in _ACTING)]
    if acting:
        why.append(f"it holds code or instructions: {', '.join(acting)}")
    if approved is not None:
        more = set(seen.globals) - set(approved.globals)
        if more:
            why.append(
                f"it names {len(more)} things that the approved revision does not: {', '.join(sorted(more)[:4])}"
            )
        if approved.format != ", ".join(seen.formats):
            why.append("it is of another format than the approved revision")
        if approved.signer and approved.signer != signer:
            why.append("the approved revision was signed by somebody else")
    return tuple(why)


def needed(policy: Supply, reasons: tuple[str, ...]) -> int:
    """Return how many people must approve."""
    return max(policy.reviewers, policy.reviewers_critical) if reasons else policy.reviewers


def is_downgrade(lock: Lock, name: str, version: str, root: str) -> str:
    """Return why this would take an artefact back to an older state; empty when it would not."""
    artefact = lock.artefacts.get(name)
    if artefact is None:
        return ""
    for old in artefact.revisions[:-1]:
        if old.root == root and root != artefact.current.root:
            return f"these are the files of revision {old.number}, which was replaced: use rollback to bring it back"
    if artefact.current.root == root:
        return f"these files are approved already, as revision {artefact.current.number}"
    try:
        older = ordered("PyPI", version) < ordered("PyPI", artefact.current.version)  # type: ignore[operator]
    except ValueError:
        return ""  # names that have no order: the digests above still count
    return f"version {version} is older than the approved {artefact.current.version}" if older else ""

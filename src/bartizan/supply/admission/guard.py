"""Compares what lies on the disk with the lock, before something is started on it.

It looks once, at the moment of the start: files that change afterwards are not seen. Give the server a copy that it
alone can read, or read-only files.
"""

from pathlib import Path

from bartizan.core.errors import BadArtifact
from bartizan.core.findings import Finding, Severity
from bartizan.supply.admission.lock import Lock, as_manifest
from bartizan.supply.manifest import differences, measure


def check(lock: Lock, places: dict[str, Path]) -> list[Finding]:
    """Return everything that is not as approved. `places` says where each artefact lies; empty checks every one.

    A lock without artefacts approves nothing, so that is a finding too.
    """
    found: list[Finding] = []
    wanted = places or {name: Path(artefact.path) for name, artefact in lock.artefacts.items()}
    if not wanted:
        return [Finding("nothing-approved", Severity.CRITICAL, "the lock names no artefact, so nothing may start")]
    for name, path in wanted.items():
        artefact = lock.artefacts.get(name)
        if artefact is None:
            found.append(Finding("not-approved", Severity.CRITICAL, f"{name} is not in the lock", str(path)))
            continue
        try:
            wrong = differences(as_manifest(name, artefact.current), measure(path))
        except BadArtifact as error:
            wrong = [Finding("artefact-unreadable", Severity.CRITICAL, str(error), str(path))]
        for one in wrong:
            where = str(path) if one.where == "." else f"{path}/{one.where}"
            found.append(Finding(one.rule, one.severity, f"{name}: {one.why.replace('signed', 'approved')}", where))
    return found

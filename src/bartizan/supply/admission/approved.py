"""What people have approved is not sent to review again: a file that a lock lists, byte for byte, as the same kind.

Only REVIEW is lifted. What a scan of today blocks or cannot read stays so, for what was approved once may be known as
hostile today.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from bartizan.core.findings import Severity
from bartizan.supply.admission.lock import Lock
from bartizan.supply.base import Scanned, Verdict, judged


@dataclass(frozen=True)
class Approved:
    """The files of every current revision of a lock: digest and kinds, with what they were approved as."""

    names: dict[tuple[str, str], str]

    @classmethod
    def of(cls, lock: Lock) -> "Approved":
        """Return what `lock` approves."""
        names = {}
        for name, artefact in lock.artefacts.items():
            for digest in artefact.current.files.values():
                for kind in artefact.current.format.split(", "):
                    names[digest, kind] = f"{name} {artefact.current.version}"
        return cls(names)

    def lifted(self, result: Scanned) -> Scanned:
        """Return the result, without review when the lock lists this very file."""
        if result.verdict is not Verdict.REVIEW:
            return result
        try:
            with Path(result.path).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return result
        name = self.names.get((digest, result.format))
        if name is None:
            return result
        findings = [
            replace(one, severity=Severity.LOW, why=f"approved in the lock as {name}: {one.why}")
            if one.severity is Severity.MEDIUM
            else one
            for one in result.findings
        ]
        return judged(result.path, result.format, findings, result.globals, result.packages)

"""What an interrupted assessment had finished: one line for the plan, one for each row, on disk as soon as it is there.

Rows are taken over only by a run with the same plan: version, seed, threats and every setting alike.
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bartizan import __version__
from bartizan.core.errors import BadEvidence, BadSettings
from bartizan.core.sections import Settings
from bartizan.threats.base import Row, State, Threat
from bartizan.threats.saved import decode, encode

NAME = "assessment.partial"


def fingerprint(configured: Settings, threats: Sequence[Threat]) -> str:
    """Return what two runs must share so that one may go on where the other stopped."""
    plan = (__version__, [threat.id for threat in threats], msgspec.to_builtins(configured))
    return hashlib.sha256(msgspec.json.encode(plan, order="sorted")).hexdigest()


class Partial:
    """The rows of one run so far."""

    def __init__(self, path: Path, plan: str) -> None:
        """Start a new file at `path` for `plan`."""
        self._path = path
        self.rows: dict[str, Row] = {}
        self.spent = 0
        path.write_text(plan + "\n", encoding="utf-8")

    @classmethod
    def resumed(cls, path: Path, plan: str) -> "Partial":
        """Go on with the file at `path`. Raises BadSettings when it is missing or of another plan.

        Rows that could not be tested are asked again; a last line that was cut off by the interruption is dropped.
        """
        if not path.exists():
            raise BadSettings(f"--resume: {path} does not exist", hint="There is nothing to resume; run without it.")
        first, *lines = path.read_bytes().split(b"\n")
        if first.decode("utf-8", "replace") != plan:
            raise BadSettings(
                f"--resume: {path} belongs to a run with other settings, threats or version",
                hint="Run with the same words and settings as the interrupted run, or without --resume.",
            )
        found = []
        for line in lines:
            spent, _, saved = line.partition(b" ")
            try:
                found.append((decode(saved), int(spent)))
            except (BadEvidence, ValueError):
                continue
        partial = cls(path, plan)
        for row, spent_by_then in found:
            partial.spent = max(partial.spent, spent_by_then)
            if row.state is not State.UNTESTED:
                partial.add(row, partial.spent)
        return partial

    def add(self, row: Row, spent: int) -> None:
        """Keep `row`, durably, and that `spent` requests of the cap were gone by then."""
        self.rows[row.threat.id], self.spent = row, spent
        with self._path.open("ab") as file:
            file.write(b"%d %s\n" % (spent, encode(row)))
            file.flush()
            os.fsync(file.fileno())

    def finished(self) -> None:
        """Remove the file: the run has its report."""
        self._path.unlink(missing_ok=True)

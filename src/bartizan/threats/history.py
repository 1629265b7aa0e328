"""The finished runs of this installation: one JSON report each, in one folder, named by when the run began."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bartizan.core.errors import BadEvidence, BadSettings
from bartizan.threats.assessment import Assessment
from bartizan.threats.reports import json_document

Document = dict[str, Any]


def keep(folder: Path, run: Assessment) -> Path:
    """Write the report of `run` into `folder` and return its path. Raises BadSettings when it cannot be written."""
    name = run.started.translate(str.maketrans("", "", ":-"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = next(path for path in _names(folder, name) if not path.exists())
        path.write_text(json_document.render(run), encoding="utf-8")
    except OSError as error:
        raise BadSettings(f"assess.history = {folder}: the run cannot be kept: {error}") from error
    return path


def kept(folder: Path) -> list[Path]:
    """Return the runs in `folder`, the oldest first."""
    return sorted(folder.glob("*.json"))


def load(folder: Path, name: str) -> Document:
    """Return the run called `name`: a file, the name of a kept run, `last`, or `last-N` for the N-th before it.

    Raises BadSettings when there is none, BadEvidence when the file is no report.
    """
    path = _find(folder, name)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadEvidence(f"{path}: no report: {error}") from error
    if not isinstance(document, dict) or document.get("format") != "bartizan-assessment/1":
        raise BadEvidence(f"{path}: no report of an assessment", hint="Expected a report.json of `bartizan assess`.")
    return document


def _find(folder: Path, name: str) -> Path:
    runs = kept(folder)
    back = name.removeprefix("last").removeprefix("-") or "0"
    if name.startswith("last") and back.isdigit():
        if int(back) >= len(runs):
            raise BadSettings(f"{name}: {folder} holds {len(runs)} runs", hint="`bartizan runs list` shows them.")
        return runs[-1 - int(back)]
    for path in (Path(name), folder / name, folder / f"{name}.json"):
        if path.is_file():
            return path
    raise BadSettings(f"{name}: no such run in {folder} and no such file", hint="`bartizan runs list` shows them.")


def _names(folder: Path, name: str) -> Sequence[Path]:
    """Two runs may begin in one second."""
    return [folder / f"{name}.json", *(folder / f"{name}-{number}.json" for number in range(2, 100))]

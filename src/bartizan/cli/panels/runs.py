"""The page for finished assessments: how each ended, and what changed since the one before it."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bartizan.cli.runs import lines
from bartizan.core.errors import BadRequest
from bartizan.core.sections import Settings
from bartizan.dashboard.panels import Action, Item, Part
from bartizan.threats.compare import compare
from bartizan.threats.history import kept, load

_SHOWN = 100


@dataclass(frozen=True)
class Runs:
    """Finished assessments, the latest first."""

    settings: Settings
    name: str = "runs"
    title: str = "Assessments"
    about: str = "Each finished run of bartizan assess, and what changed since the run before it."
    columns: tuple[str, ...] = ("run", "target", "profile", "holds", "failed", "untested", "no claim")
    actions: tuple[Action, ...] = ()

    def items(self) -> Sequence[Item]:
        """Return the runs."""
        return [_item(path, path.stat().st_mtime_ns) for path in reversed(kept(self._folder)[-_SHOWN:])]

    def detail(self, item: str) -> Sequence[Part]:
        """Return the rows of a run, and its difference to the run before it."""
        run = load(self._folder, item)
        rows = [("threat", "state", "off", "on", "why"), *(_row(row) for row in run["rows"])]
        parts = [Part("Ten threats", rows=tuple(rows))]
        names = [path.stem for path in kept(self._folder)]
        if (place := names.index(item)) > 0:
            changed = lines(compare(load(self._folder, names[place - 1]), run))
            parts.append(Part(f"Since {names[place - 1]}", "\n".join(changed)))
        return parts

    def act(self, action: str, item: str, who: str, values: Mapping[str, str]) -> str:
        """Refuse: a finished run is evidence."""
        raise BadRequest("a finished run cannot be changed")

    @property
    def _folder(self) -> Path:
        return Path(self.settings.assess.history)


@functools.lru_cache(maxsize=4 * _SHOWN)
def _item(path: Path, written_ns: int) -> Item:
    """Return the line of a run. A finished run does not change; another file in its place has another time."""
    run = load(path.parent, str(path))
    states = [row["state"] for row in run["rows"]]
    counts = [str(states.count(state)) for state in ("holds", "failed", "untested", "no claim yet")]
    target = f"{run['subject']['model']} at {run['subject']['url']}"
    tone = "bad" if "failed" in states else "good" if "holds" in states else ""
    return Item(path.stem, (path.stem, target, run.get("profile", "quick"), *counts), tone)


def _row(row: Mapping[str, Any]) -> tuple[str, ...]:
    evidence = row["evidence"] or {}
    sides = (evidence.get(f"attack_success_{side}") for side in ("off", "on"))
    shown = [f"{one['value']:.0%} [{one['low']:.0%}–{one['high']:.0%}]" if one else "" for one in sides]
    return (f"{row['id']} {row['name']}", row["state"], *shown, row["why"])

"""One family of leaks as an audit reports it: a figure with its interval, a sentence, curves and pictures; plain data.

A family that is done is kept on disk as JSON, so an audit that was stopped goes on with the next one.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from bartizan.core.measures import Measurement

Grade = Literal["leaks", "little", "none", "not measured"]
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Family:
    """What one family found."""

    name: str
    grade: Grade
    says: str
    """The finding in a sentence."""
    figure: Measurement | None = None
    rows: Sequence[tuple[str, ...]] = ()
    """A table; the first row names the columns."""
    curves: Mapping[str, Points] = field(default_factory=dict)
    pictures: Sequence[tuple[str, str]] = ()
    """Captions and images as HTML of our own."""
    texts: Sequence[tuple[str, str, str]] = ()
    """Captions, texts and what was rebuilt of them, as HTML of our own."""
    notes: Sequence[str] = ()
    seconds: float = 0.0
    headline: str = ""
    """What the scorecard shows in place of the figure."""

    def plain(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)

    @classmethod
    def of(cls, words: Mapping[str, Any]) -> Family:
        """Return the family that `plain` wrote."""
        figure = Measurement(**words["figure"]) if words["figure"] else None
        return cls(**{**words, "figure": figure})


def kept(home: Path, name: str, work: Callable[[], Family]) -> Family:
    """Return the family `name` from `home`, or do its work and keep it there."""
    path = home / f"{name.replace(' ', '-')}.json"
    try:
        return Family.of(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        pass  # not done yet, or cut short: it is done now
    begun = time.perf_counter()
    found = work()
    found = replace(found, seconds=round(time.perf_counter() - begun, 1))
    home.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(found.plain()), encoding="utf-8")
    os.replace(unfinished, path)
    return found


def digest(*parts: object) -> str:
    """Return 16 hex digits over what decides a result: arrays by their bytes, anything else by its text."""
    told = hashlib.sha256()
    for part in parts:
        told.update(part.tobytes() if hasattr(part, "tobytes") else repr(part).encode())
    return told.hexdigest()[:16]

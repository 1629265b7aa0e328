"""What hardening did, as JSON and as one page that needs nothing else: the same figures before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bartizan import __version__
from bartizan.core.measures import Measurement
from bartizan.lab.evasion.report import page, plot


@dataclass(frozen=True)
class Outcome:
    """Figures by name before and after one kind of hardening."""

    how: str
    """What was done, in words."""
    before: Mapping[str, Measurement]
    after: Mapping[str, Measurement]
    points: Sequence[tuple[float, Measurement]] = ()
    """Certified accuracy against the radius, smallest first."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """How it was made, as plain values: enough to make it again."""
    notes: Sequence[str] = ()
    """What a reader should know to use it."""


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Return it as plain values: figures with intervals, n and seed."""
    return {
        "version": __version__,
        "how": outcome.how,
        **outcome.facts,
        "before": {name: asdict(one) for name, one in outcome.before.items()},
        "after": {name: asdict(one) for name, one in outcome.after.items()},
        "certified": [{"radius": radius, "accuracy": asdict(value)} for radius, value in outcome.points],
        "notes": list(outcome.notes),
    }


def as_page(outcome: Outcome, name: str) -> str:
    """Return it as one HTML page without scripts or outside files; `name` is what was hardened."""
    rows = [
        (figure, outcome.before.get(figure), outcome.after.get(figure))
        for figure in dict.fromkeys((*outcome.before, *outcome.after))
    ]
    return page("harden.html", outcome=outcome, subject=name, rows=rows, plot=plot(outcome.points, "radius"))

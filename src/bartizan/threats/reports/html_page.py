"""The assessment as one self-contained page: no external assets, readable on a phone, light and dark, no script.

Attack texts are hostile: everything is escaped, and characters that a reader cannot see are written out.
"""

import shlex
from dataclasses import dataclass
from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from bartizan.core.display import visible
from bartizan.core.measures import Measurement
from bartizan.threats.assessment import Assessment
from bartizan.threats.base import Row, State
from bartizan.threats.frameworks import MAPPING
from bartizan.threats.outside import Outside
from bartizan.threats.reports.text import milliseconds, share, verdict

_MARKS = {State.HOLDS: "holds", State.FAILED: "failed", State.UNTESTED: "untested", State.NO_CLAIM: "none"}


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of the picture in a row: where the value and its interval lie, in percent of the width."""

    value: float
    low: float
    high: float

    @property
    def width(self) -> float:
        """Return the interval's width."""
        return max(self.high - self.low, 0.5)


def render(run: Assessment) -> str:
    """Return the page."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(share=share, ms=milliseconds, figure=_figure, seen=visible)
    source = files("bartizan.threats.reports").joinpath("page.html").read_text(encoding="utf-8")
    return environment.from_string(source).render(
        run=run,
        verdict=verdict(run),
        outcome={0: "holds", 1: "failed", 2: "untested"}[run.exit_code()],
        rows=[(row, _MARKS[row.state], _bars(row), MAPPING[row.threat.id]) for row in run.rows],
        outside=_outside(run),
        command=command(run),
    )


def command(run: Assessment) -> str:
    """Return the command that repeats this run, quoted for a shell: an endpoint chooses what its model is called."""
    parts = ["bartizan", "assess"]
    if not run.subject.is_reference:
        parts += ["--target", run.subject.url, "--model", run.subject.model]
    assessed = [row.threat.id for row in run.rows]
    if len(assessed) < len(MAPPING):
        parts += [word for name in assessed for word in ("--threat", name)]
    if run.profile != "quick":
        parts += ["--profile", run.profile]
    return shlex.join([*parts, "--seed", str(run.seed), "--max-requests", str(run.max_requests)])


def _outside(run: Assessment) -> dict[str, list[Outside]]:
    """Return other tools' figures by the row that shows them; under "" what has no row here."""
    placed: dict[str, list[Outside]] = {"": [], **{row.threat.id: [] for row in run.rows}}
    for one in run.outside:
        placed[one.threat if one.threat in placed else ""].append(one)
    return placed


def _figure(one: Measurement) -> str:
    return str(one)


def _bars(row: Row) -> list[tuple[str, Bar]]:
    if row.evidence is None:
        return []
    pairs = (("off", row.evidence.off), ("on", row.evidence.on))
    return [(name, Bar(100 * one.value, 100 * one.low, 100 * one.high)) for name, one in pairs]

"""What came of an attack, as JSON and as one page that needs nothing else: figures, curve, worst examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from bartizan import __version__
from bartizan.core.measures import Measurement
from bartizan.lab import pages
from bartizan.lab.evasion.base import Problem
from bartizan.lab.evasion.masking import Sign
from bartizan.lab.evasion.pictures import changed_columns, picture
from bartizan.lab.evasion.suite import Attacked

_SHOWN = 12
_PLOT_WIDTH, _PLOT_HEIGHT = 560, 240


@dataclass(frozen=True)
class Report:
    """Everything that a reader of one attack needs."""

    problem: Problem
    found: Attacked
    points: Sequence[tuple[float, Measurement]] = ()
    """Accuracy against epsilon, smallest first; measured on fewer examples with a quick suite."""
    signs: Sequence[Sign] = ()
    names: Sequence[str] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


def as_json(report: Report) -> dict[str, Any]:
    """Return the report as plain values: figures with intervals, n and seed; no examples."""
    found, target = report.found, report.problem.target
    return {
        "version": __version__,
        "target": target.name,
        "access": target.access.name.lower(),
        "bound": str(report.problem.ball),
        "seed": report.problem.seed,
        "settings": dict(report.settings),
        "clean_accuracy": asdict(found.clean),
        "robust_accuracy": asdict(found.robust),
        "queries": target.queries,
        "stages": [
            {**asdict(one), "robust": asdict(one.robust), "seconds": round(one.seconds, 2)} for one in found.stages
        ],
        "skipped": list(found.skipped),
        "curve": [{"epsilon": epsilon, "accuracy": asdict(value)} for epsilon, value in report.points],
        "masking_signs": [asdict(one) for one in report.signs],
        "notes": list(target.notes),
    }


def as_page(report: Report) -> str:
    """Return the report as one HTML page without scripts or outside files."""
    examples = [_example(report, row) for row in _worst(report)]
    return page(
        "page.html", report=report, found=report.found, target=report.problem.target, ball=report.problem.ball,
        examples=examples, plot=plot(report.points),
    )  # fmt: skip


def page(name: str, **values: Any) -> str:
    """Return one of our pages, filled in."""
    return pages.page("bartizan.lab.evasion", name, **values)


def _worst(report: Report) -> list[int]:
    """Return rows that the attack turned, smallest change first."""
    found, problem = report.found, report.problem
    moved = problem.ball.distances(found.adversarial, problem.x).numpy()
    rows = np.flatnonzero(found.fooled.numpy() & (moved > 0))
    return [int(row) for row in rows[np.argsort(moved[rows])][:_SHOWN]]


def _example(report: Report, row: int) -> dict[str, Any]:
    problem, found = report.problem, report.found
    before, after = problem.x[row].numpy(), found.adversarial[row].numpy()
    said = problem.target.labels(np.stack([before, after]))
    low, high = (float(np.min(values)) for values in (problem.box.low.numpy(), problem.box.high.numpy()))
    if not np.isfinite(low + high):
        low, high = float(min(before.min(), after.min())), float(max(before.max(), after.max()))
    reach = max(float(np.abs(after - before).max()), 1e-9)
    return {
        "row": row,
        "truth": int(problem.y[row]),
        "said": int(said[1]),
        "moved": float(problem.ball.distances(found.adversarial[row][None], problem.x[row][None])[0]),
        "before": picture(before, low, high),
        "change": picture(after - before, -reach, reach),
        "after": picture(after, low, high),
        "columns": "" if picture(before, low, high) else changed_columns(before, after, report.names),
    }


def plot(points: Sequence[tuple[float, Measurement]], by: str = "epsilon") -> str:
    """Return accuracy against epsilon (or what `by` says) as SVG with its intervals; empty below two points."""
    if len(points) < 2:
        return ""
    left, top, width, height = 46, 10, _PLOT_WIDTH - 60, _PLOT_HEIGHT - 46
    largest = max(epsilon for epsilon, _ in points) or 1.0
    x = [left + epsilon / largest * width for epsilon, _ in points]

    def y(share: float) -> float:
        return top + (1 - share) * height

    band = [f"{x[i]:.1f},{y(value.high):.1f}" for i, (_, value) in enumerate(points)]
    band += [f"{x[i]:.1f},{y(points[i][1].low):.1f}" for i in reversed(range(len(points)))]
    line = " ".join(f"{x[i]:.1f},{y(value.value):.1f}" for i, (_, value) in enumerate(points))
    ticks = "".join(
        f'<line x1="{left}" x2="{left + width}" y1="{y(s):.1f}" y2="{y(s):.1f}" class="grid"/>'
        f'<text x="{left - 6}" y="{y(s) + 4:.1f}" text-anchor="end">{s:.0%}</text>'
        for s in (0, 0.25, 0.5, 0.75, 1)
    )
    marks = "".join(
        f'<circle cx="{x[i]:.1f}" cy="{y(value.value):.1f}" r="4"><title>{by} {epsilon:.4g}: {value}</title></circle>'
        f'<text x="{x[i]:.1f}" y="{top + height + 18}" text-anchor="middle">{epsilon:.3g}</text>'
        for i, (epsilon, value) in enumerate(points)
    )
    return (
        f'<svg class="plot" viewBox="0 0 {_PLOT_WIDTH} {_PLOT_HEIGHT}" role="img" aria-label="accuracy by {by}">'
        f'{ticks}<polygon points="{" ".join(band)}" class="band"/><polyline points="{line}" class="line"/>{marks}'
        f'<text x="{left + width / 2}" y="{_PLOT_HEIGHT - 6}" text-anchor="middle">{by}</text></svg>'
    )

"""An audit as JSON and as one page that needs nothing else: scorecard, curves on logarithmic axes, rebuilt images."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from bartizan import __version__
from bartizan.lab.auditing import width
from bartizan.lab.auditing.family import Family, Points
from bartizan.lab.pages import page

_WIDTH, _HEIGHT = 560, 300
_LEFT, _TOP, _RIGHT, _BOTTOM = 56, 14, 28, 44


@dataclass(frozen=True)
class Axis:
    """One axis of a plot: from `low` to `high`, logarithmic where told so."""

    name: str
    low: float
    high: float
    log: bool = True
    share: bool = True

    def at(self, value: float) -> float:
        """Return where a value lies, 0 to 1."""
        value = min(max(value, self.low), self.high)
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Return the values that are written at it."""
        if not self.log:
            return [self.low + (self.high - self.low) * part / 4 for part in range(5)]
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        return [10.0**power for power in range(first, last + 1)]

    def written(self, value: float) -> str:
        """Return a value as people read it."""
        if self.share:
            return f"{100 * value:g} %"
        return f"{value:,.0f}" if value == 0 or value >= 1 else f"{value:g}"


ROC = (Axis("false positives", 1e-3, 1), Axis("members found", 1e-3, 1))


def as_json(families: Sequence[Family], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the audit as plain values, without pictures."""
    shown = ("pictures", "texts")
    plain = [{name: value for name, value in one.plain().items() if name not in shown} for one in families]
    return {"bartizan": __version__, **facts, "families": plain}


def as_page(families: Sequence[Family], facts: Mapping[str, Any]) -> str:
    """Return the audit as one HTML page without scripts or outside files."""
    plots = {one.name: plot(one.curves, *_axes(one)) for one in families if one.curves}
    return page("bartizan.lab.auditing", "page.html", families=families, facts=facts, plots=plots, headline=headline)


def headline(family: Family) -> str:
    """Return what the scorecard shows of a family."""
    if family.headline or family.figure is None:
        return family.headline or "–"
    return f"{100 * family.figure.value:.1f} %"


def _axes(family: Family) -> tuple[Axis, Axis]:
    if family.name.startswith("membership"):
        return ROC
    if family.name == "defences":
        return Axis("retrieval lost", 0, 1, log=False), Axis("F1 of words", 0, 1, log=False, share=False)
    most = max(x for curve in family.curves.values() for x, _ in curve)
    if family.name == width.NAME:
        lowest = min(y for curve in family.curves.values() for _, y in curve)
        return Axis("singular values, largest first", 1, most, log=False, share=False), Axis(
            "size", lowest, 1, share=False
        )
    least = min(x for curve in family.curves.values() for x, _ in curve)
    return Axis("questions", min(10, least), max(most, 100), share=False), Axis("agreement", 0, 1, log=False)


def plot(curves: Mapping[str, Points], across: Axis, up: Axis) -> str:
    """Return curves as an SVG with a name at each: at most four are told apart."""
    wide, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def place(x: float, y: float) -> tuple[float, float]:
        return _LEFT + across.at(x) * wide, _TOP + (1 - up.at(y)) * height

    parts = []
    for value in up.ticks():
        _, y = place(across.low, value)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_LEFT + wide}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{up.written(value)}</text>')
    for value in across.ticks():
        x, _ = place(value, up.low)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_TOP + height}"/>')
        parts.append(f'<text x="{x:.1f}" y="{_TOP + height + 16}" text-anchor="middle">{across.written(value)}</text>')
    if (across, up) == ROC:
        ends = [place(1e-3, 1e-3), place(1, 1)]
        parts.append('<polyline class="chance" points="{:.1f},{:.1f} {:.1f},{:.1f}"/>'.format(*ends[0], *ends[1]))
    for number, (name, points) in enumerate(curves.items()):
        where = [place(x, y) for x, y in points]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in where)
        parts.append(f'<polyline class="line c{number % 4}" points="{line}"/>')
        parts += [f'<circle class="c{number % 4}" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in where]
        y = _TOP + height - 12 - 16 * (len(curves) - 1 - number)
        key = _LEFT + (14 if points[0][1] > points[-1][1] else wide - 190)  # where the curve is not
        parts.append(f'<line class="line c{number % 4}" x1="{key}" x2="{key + 24}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text class="key" x="{key + 30}" y="{y + 4}">{escape(name)}</text>')
    parts.append(f'<text x="{_LEFT + wide / 2}" y="{_HEIGHT - 8}" text-anchor="middle">{across.name}</text>')
    said = f"{up.name} by {across.name}"
    return f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{said}">{"".join(parts)}</svg>'

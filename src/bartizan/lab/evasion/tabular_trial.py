"""One attack on rows of tables from end to end: accuracy before and under attack, the curve, JSON and page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from bartizan import __version__
from bartizan.core.measures import Measurement, proportion
from bartizan.lab.evasion.margins import is_wrong
from bartizan.lab.evasion.report import page, plot
from bartizan.lab.evasion.tabular import TabularSearch
from bartizan.lab.evasion.tabular_columns import Columns
from bartizan.lab.evasion.tabular_gradient import Capgd
from bartizan.lab.target import Access, Array, Target

Progress = Callable[[str, int, int], None]
_PART = 200
_SHOWN = 12
_WIDEST = 16
"""Columns that a table on the page has room for; beyond, only those that changed are shown."""


@dataclass(frozen=True)
class RowProblem:
    """A classifier of rows under attack: the rows (n, d) float32, their classes (n,), what a row may be."""

    target: Target
    x: Array
    y: Array
    columns: Columns
    search: TabularSearch
    seed: int = 0

    @property
    def right(self) -> Array:
        """Return which rows are answered rightly, (n,) bool."""
        return np.asarray(self.target.labels(self.x) == self.y)

    @property
    def attacks(self) -> tuple[Capgd | TabularSearch, ...]:
        """Return gradients, where there are any, and then the search on what still stands."""
        gradients = (Capgd(seed=self.seed),) if self.target.access is Access.WHITE_BOX else ()
        return (*gradients, self.search)

    def part(self, rows: Array, seed: int | None = None) -> RowProblem:
        """Return the problem of some rows, with another seed if one is given."""
        return replace(self, x=self.x[rows], y=self.y[rows], seed=self.seed if seed is None else seed)

    def changing(self, most: int) -> RowProblem:
        """Return the problem where at most `most` columns may change."""
        return replace(self, columns=replace(self.columns, schema=replace(self.columns.schema, most_changed=most)))

    def share(self, standing: Array) -> Measurement:
        """Return the share of rows that stand, with its interval."""
        return proportion(int(standing.sum()), len(self.x), seed=self.seed)


@dataclass(frozen=True)
class RowStage:
    """What one attack did."""

    attack: str
    standing_before: int
    fell: int
    robust: Measurement
    queries: int


@dataclass(frozen=True)
class RowsAttacked:
    """What the attacks did to a classifier of rows."""

    clean: Measurement
    robust: Measurement
    """Share of the rows that are still answered rightly, over all rows."""
    stages: tuple[RowStage, ...]
    adversarial: Array
    """The row that won for each one that fell, without changes that it does not need, the original else, (n, d)."""
    fell: tuple[int, ...]
    """Numbers of the rows that were answered rightly before and wrongly after."""
    points: tuple[tuple[int, Measurement], ...] = ()
    """Accuracy against the number of columns that may change, smallest first."""


def attack_rows(
    problem: RowProblem, progress: Progress = lambda what, done, total: None, *, curve: int = 0
) -> RowsAttacked:
    """Attack every row that is answered rightly; draw the curve on the first `curve` rows. Asks for scores.

    The schema repairs every proposal before the model is asked whether it won.
    """
    right = problem.right
    standing, found, stages = right.copy(), np.array(problem.x, dtype=np.float32), []
    for attack in problem.attacks:
        before, asked = int(standing.sum()), problem.target.queries
        _run(problem, attack, standing, found, progress)
        after, asked = int(standing.sum()), problem.target.queries - asked
        stages.append(RowStage(attack.name, before, before - after, problem.share(standing), asked))
    fell = tuple(int(row) for row in np.flatnonzero(right & ~standing))
    _spare(problem, found, np.array(fell, dtype=np.int64))
    points = _curve(problem.part(np.arange(min(curve, len(problem.x)))), progress) if curve else ()
    return RowsAttacked(problem.share(right), problem.share(standing), tuple(stages), found, fell, points)


def _run(problem: RowProblem, attack: Capgd | TabularSearch, standing: Array, found: Array, progress: Progress) -> None:
    """Attack the standing rows in parts; what wins is written into `found` and stands no longer."""
    rows = np.flatnonzero(standing)
    for start in range(0, len(rows), _PART):
        progress(attack.name, start, len(rows))
        some = rows[start : start + _PART]
        x, y, schema = problem.x[some], problem.y[some], problem.columns.schema
        allowed = schema.repaired(attack.perturb(problem.target, schema, x, y), x)
        won = is_wrong(problem.target, allowed, y)
        found[some[won]], standing[some[won]] = allowed[won], False
    progress(attack.name, len(rows), len(rows))


def _spare(problem: RowProblem, found: Array, fell: Array) -> None:
    """Take back every change without which a row that fell is still answered wrongly, until each is needed."""
    schema, spared = problem.columns.schema, True
    while spared:
        spared = False
        for unit in map(list, schema.units):
            some = fell[(found != problem.x)[fell][:, unit].any(axis=1)]
            if not len(some):
                continue
            without = found[some]
            without[:, unit] = problem.x[some][:, unit]
            without = schema.repaired(without, problem.x[some])
            still = is_wrong(problem.target, without, problem.y[some])
            still &= (without != found[some]).any(axis=1)  # a column that follows from others comes back by itself
            found[some[still]] = without[still]
            spared |= bool(still.any())


def _curve(problem: RowProblem, progress: Progress) -> tuple[tuple[int, Measurement], ...]:
    """What fell with fewer columns has fallen with more, and is not attacked again: the curve never rises."""
    schema = problem.columns.schema
    standing, found = problem.right, problem.x.copy()
    points = [(0, problem.share(standing))]
    for most in sorted(
        {min(count, len(schema.units)) for count in (1, 2, schema.most_changed, 2 * schema.most_changed)}
    ):
        for attack in problem.attacks:
            _run(problem.changing(most), attack, standing, found, progress)
        points.append((most, problem.share(standing)))
    return tuple(points)


def as_json(problem: RowProblem, found: RowsAttacked, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the result as plain values: figures with intervals, n and seed, and the schema; no rows."""
    target, columns = problem.target, problem.columns
    return {
        "version": __version__,
        "target": target.name,
        "access": target.access.name.lower(),
        "most_changed": columns.schema.most_changed,
        "reach": columns.schema.reach,
        "columns": [{"name": name, "kind": kind, "change": how} for name, kind, how in columns.described()],
        "seed": problem.seed,
        "settings": settings,
        "clean_accuracy": asdict(found.clean),
        "robust_accuracy": asdict(found.robust),
        "queries": target.queries,
        "stages": [asdict(one) for one in found.stages],
        "fell": len(found.fell),
        "changed_most": [{"name": name, "rows": rows} for name, rows in changed_most(problem, found)],
        "curve": [{"columns_changed": most, "accuracy": asdict(value)} for most, value in found.points],
        "notes": list(target.notes),
    }


def changed_most(problem: RowProblem, found: RowsAttacked) -> list[tuple[str, int]]:
    """Return (column or group, in how many of the rows that fell it was changed), most first."""
    moved = (found.adversarial != problem.x)[list(found.fell)]
    counts = [(name, int(moved[:, list(part)].any(axis=1).sum())) for name, part in problem.columns.parts]
    return sorted(((name, count) for name, count in counts if count), key=lambda one: -one[1])


def as_page(problem: RowProblem, found: RowsAttacked) -> str:
    """Return the result as one HTML page without scripts or outside files; changed cells are marked."""
    rows = _fewest(problem, found)
    examples = [_example(problem, row, found.adversarial[row]) for row in rows]
    parts = problem.columns.parts
    seen = [number for number in range(len(parts)) if any(one["cells"][number][1] for one in examples)]
    shown = list(range(len(parts))) if len(parts) <= _WIDEST else seen
    return page(
        "rows.html", problem=problem, target=problem.target, found=found, examples=examples, shown=shown,
        names=[name for name, _ in parts], described=problem.columns.described(),
        changed=changed_most(problem, found), plot=plot(found.points, "columns that may change"),
    )  # fmt: skip


def _fewest(problem: RowProblem, found: RowsAttacked) -> Sequence[int]:
    """Return rows that fell: fewest changed columns first, then the smallest move."""
    schema = problem.columns.schema
    span = np.maximum(schema.high - schema.low, 1e-12)

    def size(row: int) -> tuple[int, float]:
        moved = np.abs(found.adversarial[row] - problem.x[row]) / span
        return sum(bool(moved[list(unit)].any()) for unit in schema.units), float(moved.max())

    return sorted(found.fell, key=size)[:_SHOWN]


def _example(problem: RowProblem, row: int, after: Array) -> dict[str, Any]:
    """Describe one row that fell; each cell is (before, after), where after is empty if nothing changed."""
    columns, before = problem.columns, problem.x[row]
    cells = [
        (columns.shown(before, part), columns.shown(after, part) if (before != after)[list(part)].any() else "")
        for _, part in columns.parts
    ]
    said = int(problem.target.labels(after[None])[0])
    return {"row": row, "truth": int(problem.y[row]), "said": said, "cells": cells}

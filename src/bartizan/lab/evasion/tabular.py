"""Attacks on rows of tables that keep to what a row may be: types, ranges, one-hot groups, columns nobody can change.

`Schema` says what is allowed and repairs proposals; `TabularSearch` changes one column (or group) at a time and keeps
what lowers the margin: it needs scores only, so trees fall to it as well. Its judge repairs before it asks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bartizan.core.errors import BadSettings
from bartizan.core.measures import Measurement
from bartizan.lab.evasion.margins import margins, turned
from bartizan.lab.target import Array, Target


@dataclass(frozen=True)
class Schema:
    """What one row (d,) may be. Every group of `one_hot` holds exactly one 1; `derive` recomputes dependent columns."""

    low: Array
    high: Array
    """Smallest and largest value of each column, (d,)."""
    integer: tuple[int, ...] = ()
    immutable: tuple[int, ...] = ()
    one_hot: tuple[tuple[int, ...], ...] = ()
    most_changed: int = 3
    """How many columns (a group counts as one) may differ from the original."""
    reach: float = 0.2
    """How far a numeric column may move, as a share of its range."""
    derive: Callable[[Array], Array] | None = None
    """Maps rows (n, d) to rows whose dependent columns follow from the others.

    List those as immutable: nobody sets them, and what follows is no change that counts.
    """

    def __post_init__(self) -> None:
        """Refuse a group with an immutable column in it only in part, and ranges that are upside down."""
        if (self.low > self.high).any():
            raise BadSettings("schema: low above high in some column")
        for group in self.one_hot:
            fixed = set(group) & set(self.immutable)
            if fixed and fixed != set(group):
                raise BadSettings(f"schema: group {group} is immutable only in part")

    @property
    def units(self) -> tuple[tuple[int, ...], ...]:
        """Return what may change on its own: each mutable numeric column, each mutable group."""
        grouped = {column for group in self.one_hot for column in group}
        fixed = set(self.immutable)
        single = [(i,) for i in range(len(self.low)) if i not in grouped and i not in fixed]
        return (*single, *(group for group in self.one_hot if not set(group) & fixed))

    def repaired(self, rows: Array, original: Array) -> Array:
        """Return the nearest allowed rows (n, d); rows that change too many columns keep their largest changes."""
        rows = np.where(np.isfinite(rows), rows, original)
        out = np.array(original, dtype=np.float32)
        span = np.maximum(self.high - self.low, 1e-12)
        cost = np.stack([np.abs((rows - original)[:, u] / span[list(u)]).max(axis=1) for u in map(list, self.units)], 1)
        chosen = np.argsort(-cost, axis=1)[:, : self.most_changed]
        for number, unit in enumerate(self.units):
            here = (chosen == number).any(axis=1) & (cost[:, number] > 0)
            columns = list(unit)
            if len(columns) > 1:
                pick = rows[:, columns].argmax(axis=1)
                out[np.ix_(here, columns)] = np.eye(len(columns), dtype=np.float32)[pick[here]]
                continue
            i = columns[0]
            near = np.clip(rows[:, i], original[:, i] - self.reach * span[i], original[:, i] + self.reach * span[i])
            near = np.clip(near, self.low[i], self.high[i])
            if i in self.integer:  # towards the original, so that rounding never leaves the reach
                near = original[:, i] + np.trunc(near - original[:, i])
            out[here, i] = near[here]
        return out if self.derive is None else np.asarray(self.derive(out), dtype=np.float32)


@dataclass(frozen=True)
class TabularSearch:
    """Greedy search with `rounds` rounds over all columns, `tries` values for each numeric one."""

    rounds: int = 3
    tries: int = 6

    @property
    def name(self) -> str:
        """Return the name with its budget."""
        return f"tabular search {self.rounds}×{self.tries}"

    def perturb(self, target: Target, schema: Schema, x: Array, y: Array) -> Array:
        """Return a proposal for each row (n, d); the judge repairs and asks again."""
        best = np.array(x, dtype=np.float32)
        value = margins(target, best, y)
        for _ in range(self.rounds):
            standing = np.flatnonzero(value <= 0)
            if not len(standing):
                break
            before = best[standing].copy()
            proposal, gain = before.copy(), value[standing].copy()
            for unit in schema.units:
                for changed in self._changes(schema, unit, before, x[standing]):
                    allowed = schema.repaired(changed, x[standing])
                    found = margins(target, allowed, y[standing])
                    better = found > gain
                    proposal[better], gain[better] = allowed[better], found[better]
            best[standing], value[standing] = proposal, gain
        return best

    def _changes(self, schema: Schema, unit: tuple[int, ...], rows: Array, original: Array) -> list[Array]:
        """Return the rows with one unit changed: every member of a group, or values across a column's reach."""
        out = []
        if len(unit) > 1:
            for member in range(len(unit)):
                one = rows.copy()
                one[:, list(unit)] = np.eye(len(unit), dtype=np.float32)[member]
                out.append(one)
            return out
        i = unit[0]
        for share in np.linspace(-1, 1, self.tries):
            one = rows.copy()
            one[:, i] = original[:, i] + share * schema.reach * (schema.high[i] - schema.low[i])
            out.append(one)
        return out


def judge_rows(target: Target, schema: Schema, x: Array, y: Array, proposal: Array, seed: int) -> Measurement:
    """Repair the proposals, ask the model, and return the share of rightly answered rows that were turned."""
    return turned(target, x, y, schema.repaired(proposal, x), seed)


Attack = Callable[[Target, Schema, Array, Array], Array]
"""(model, schema, rows (n, d), classes (n,)) -> a proposal for each row."""


def hardened_rows(
    schema: Schema,
    fit: Callable[[Array, Array], Target],
    x: Array,
    y: Array,
    rounds: int = 2,
    attack: Attack = TabularSearch().perturb,
) -> Target:
    """Train on attacks: fit, attack the training rows, add what won with its true class, fit again, `rounds` times."""
    rows, classes = np.asarray(x, dtype=np.float32), np.asarray(y)
    model = fit(rows, classes)
    for _ in range(rounds):
        found = schema.repaired(attack(model, schema, x, y), x)
        won = model.labels(found) != y
        rows, classes = np.concatenate([rows, found[won]]), np.concatenate([classes, y[won]])
        model = fit(rows, classes)
    return model

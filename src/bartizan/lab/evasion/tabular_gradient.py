"""Gradients on rows of tables, within what a row may be: an Auto-PGD under constraints, after CAPGD.

After Simonetto, Ghamizi and Cordy, "Constrained Adaptive Attack" (NeurIPS 2024): steps that halve when they stall,
every point repaired by the schema before the model is asked. Types, one-hot groups and the number of changes have no
gradient: it is taken at the repaired row and moves a free one behind it (straight through), in units of each column's
reach. Needs weights; on models without gradients `TabularSearch` does the work, and after this one it adds to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import torch

from bartizan.core.errors import BadSettings
from bartizan.lab.evasion.margins import margins
from bartizan.lab.evasion.objectives import margin
from bartizan.lab.evasion.tabular import Schema, TabularSearch
from bartizan.lab.target import Access, Array, Target

_MOMENTUM, _RHO = 0.75, 0.75


@dataclass(frozen=True)
class Capgd:
    """Up to `steps` steps from the row itself, then from `restarts` - 1 random points."""

    steps: int = 20
    restarts: int = 3
    seed: int = 0
    needs: Access = field(default=Access.WHITE_BOX, init=False)

    @property
    def name(self) -> str:
        """Return the name with its budget."""
        return f"CAPGD {self.steps}×{self.restarts}"

    def perturb(self, target: Target, schema: Schema, x: Array, y: Array) -> Array:
        """Return the best allowed row found for each row (n, d) of class y (n,). Raises BadSettings without weights."""
        if target.access < self.needs:
            raise BadSettings(f"{self.name} needs the weights of {target.name}", hint="Use TabularSearch: scores do.")
        best = np.array(x, dtype=np.float32)
        value = margins(target, best, y)
        for number in range(self.restarts):
            standing = np.flatnonzero(value <= 0)
            if not len(standing):
                break
            climb = _Climb(target, schema, x[standing], y[standing])
            climb.start(np.random.default_rng(self.seed + number) if number else None)
            climb.run(self.steps)
            better = climb.value > value[standing]
            best[standing[better]], value[standing[better]] = climb.best[better], climb.value[better]
        return best


class _Climb:
    """One start for some rows: the free points, their steps, and the best allowed row of each."""

    def __init__(self, target: Target, schema: Schema, x: Array, y: Array) -> None:
        self._target, self._schema, self._x, self._y = target, schema, np.asarray(x, np.float32), np.asarray(y)
        reach = schema.reach * (schema.high - schema.low)
        grouped = [column for group in schema.one_hot for column in group]
        reach[grouped] = 1.0
        self._reach = reach.astype(np.float32)
        self._low = np.maximum(schema.low, self._x - self._reach)
        self._high = np.minimum(schema.high, self._x + self._reach)
        self._loose = replace(schema, most_changed=len(schema.units), derive=None)
        self._units = np.zeros((len(reach), len(schema.units)), np.float32)
        for number, unit in enumerate(schema.units):
            self._units[list(unit), number] = 1
        self._slope = np.zeros_like(self._x)
        """The gradient, averaged over the steps so far."""
        self._free = self._before = self.best = self._x
        self.value = np.full(len(self._x), -np.inf)

    def start(self, draw: np.random.Generator | None) -> None:
        """Begin at the rows themselves, or anywhere within reach."""
        if draw is not None:
            self._free = draw.uniform(self._low, self._high).astype(np.float32)
            self._before = self._free

    def run(self, steps: int) -> None:
        """Climb; every step is at first the whole reach, and is halved where it stalls."""
        size, every = np.ones((len(self._x), 1), np.float32), max(int(0.22 * steps), 2)
        last, risen, since, checked = self.value, np.zeros(len(self._x)), 0, self.value
        best_free = self._free
        for step in range(steps + 1):
            value, gradient = self._look()
            improved = value > self.value - 1e-12
            best_free = np.where(improved[:, None], self._free, best_free)
            risen, last, since = risen + (value > last), value, since + 1
            if step == steps or (self.value > 0).all():
                return
            if since == every:
                halve = (risen < _RHO * every) | (checked >= self.value)
                size = np.where(halve[:, None], size / 2, size)
                self._free = np.where(halve[:, None], best_free, self._free)
                risen, since, checked = np.zeros(len(self._x)), 0, self.value.copy()
            moved = np.clip(self._free + size * self._reach * np.sign(gradient), self._low, self._high)
            moved = self._free + _MOMENTUM * (moved - self._free) + (1 - _MOMENTUM) * (self._free - self._before)
            self._before, self._free = self._free, np.clip(moved, self._low, self._high)

    def _allowed(self) -> Array:
        """Return the free rows as allowed ones. Where few columns may change, those that promise most are kept."""
        snapped = self._loose.repaired(self._free, self._x)
        gain = (self._slope * (snapped - self._x)) @ self._units
        most = min(self._schema.most_changed, gain.shape[1])
        chosen = np.argsort(-gain, axis=1)[:, :most]
        mask = np.zeros(gain.shape, dtype=bool)
        np.put_along_axis(mask, chosen, values=True, axis=1)
        kept = (mask @ self._units.T) > 0
        return self._schema.repaired(np.where(kept, snapped, self._x), self._x)

    def _look(self) -> tuple[Array, Array]:
        """Return the margins at the repaired rows and their gradient; keep what is best."""
        allowed = self._allowed()
        leaf = torch.from_numpy(allowed).requires_grad_()
        lead = margin(self._target.logits(leaf), torch.from_numpy(self._y), abstains=self._target.traits.abstains)
        gradient = torch.autograd.grad(lead.sum(), leaf)[0].numpy()
        value = margins(self._target, allowed, self._y)
        better = value > self.value
        self.best = np.where(better[:, None], allowed, self.best)
        self.value = np.where(better, value, self.value)
        gradient = np.nan_to_num(gradient)
        self._slope = _MOMENTUM * self._slope + (1 - _MOMENTUM) * gradient
        return value, gradient


def constrained_attack(target: Target, schema: Schema, x: Array, y: Array, seed: int = 0) -> Array:
    """Return the best of gradients, where there are any, and then of the search on what still stands (CAA)."""
    found = np.array(x, dtype=np.float32)
    if target.access is Access.WHITE_BOX:
        found = Capgd(seed=seed).perturb(target, schema, x, y)
    standing = np.flatnonzero(margins(target, found, y) <= 0)
    if len(standing):
        found[standing] = TabularSearch().perturb(target, schema, x[standing], y[standing])
    return found

"""What an audit works on: a model as an attacker meets it, the records it was trained on, and records of strangers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bartizan.lab.labelled import Labelled
from bartizan.lab.membership.stacked import Recipe
from bartizan.lab.target import Access, Array, Target

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Subject:
    """A model and its data; `members` trained it, `others` did not."""

    target: Target
    members: Labelled
    others: Labelled
    recipe: Recipe
    """How the attacker trains models of the same kind."""
    models: int
    """How many of them."""
    seed: int
    price: float = 0.0
    """Dollars for a question."""
    questions: int = 2000
    """Most that a thief asks."""
    steps: int = 300
    """How long a copy learns after each round of questions."""
    knows_members: bool = True
    """Whether `others` are really records that it was not trained on."""

    @property
    def has_scores(self) -> bool:
        """Return whether the model gives scores."""
        return self.target.access >= Access.SCORES

    @property
    def is_image(self) -> bool:
        """Return whether an example is an image of one or three channels."""
        shape = self.others.x.shape[1:]
        return len(shape) == 3 and shape[0] in (1, 3) and min(shape[1:]) >= 8

    @cached_property
    def scale(self) -> tuple[Array, Array]:
        """Return centre and deviation of each feature (d,), flat."""
        x = flat(self.others.x)
        return x.mean(axis=0), np.maximum(x.std(axis=0), 1e-6)

    def standard(self, x: Array) -> Array:
        """Return examples flat and in deviations, as the attacker's own networks take them."""
        centre, deviation = self.scale
        return ((flat(x) - centre) / deviation).astype(np.float32)


def flat(x: Array) -> Array:
    """Return examples as lines (n, d)."""
    return x.reshape(len(x), -1)

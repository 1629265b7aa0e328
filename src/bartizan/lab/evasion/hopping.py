"""Square and then gradients, again and again, on what is nearest to falling: for networks that hide their gradients.

Square (scores only) finds its way over plains where gradients lead nowhere, and gradients climb the last bit from where
it stands, which Square takes thousands of questions for. A run of both costs little, so there are many, and each is
spent on the examples whose margin came nearest in the runs before: on the published network that `make bench-evasion`
attacks all 46 of 839 images that 5,000 questions turned were among the 51 nearest after 1,000.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from bartizan.lab.evasion.apgd import Apgd
from bartizan.lab.evasion.base import Problem, ask
from bartizan.lab.evasion.objectives import margin
from bartizan.lab.evasion.square import Square
from bartizan.lab.target import Access

Tensor = torch.Tensor


@dataclass(frozen=True)
class Round:
    """`hops` runs of Square with `queries` questions and a climb of `steps`, on the `share` nearest of the examples."""

    share: float
    queries: int
    steps: int
    hops: int


@dataclass(frozen=True)
class Hopping:
    """Rounds of runs, wide and short ones first. `batch` examples compete for being the nearest."""

    rounds: tuple[Round, ...]
    batch: int = 256
    needs: Access = field(default=Access.WHITE_BOX, init=False)

    @property
    def name(self) -> str:
        """Return the name with its budget."""
        return f"Square and climb ×{sum(one.hops for one in self.rounds)}"

    def perturb(self, problem: Problem) -> Tensor:
        """Return the first adversarial point found for each example, else the one with the best margin."""
        return problem.in_batches(self.batch, self._batch)

    def _batch(self, problem: Problem) -> Tensor:
        best, number = problem.x.clone(), 0
        value = _margins(problem, best)
        for one in self.rounds:
            most = max(1, round(one.share * len(best)))
            for _ in range(one.hops):
                standing = (value <= 0).nonzero()[:, 0]
                rows = standing[value[standing].argsort(descending=True)[:most]]
                if not len(rows):
                    return best
                number += 1
                found = _hop(problem.part(rows, problem.seed + 104_729 * number), one, number)
                reached = _margins(problem.part(rows), found)
                better = reached > value[rows]
                best[rows[better]], value[rows[better]] = found[better], reached[better]
        return best


def _hop(problem: Problem, one: Round, number: int) -> Tensor:
    """Run Square, and climb from where it ended; by turns on the margin and on the usual objective."""
    found = Square(one.queries).perturb(problem)
    rows = (_margins(problem, found) <= 0).nonzero()[:, 0]
    if len(rows):
        climb = Apgd("margin" if number % 2 else "ce", one.steps)
        found[rows] = climb.from_points(problem.part(rows), found[rows])
    return found


def _margins(problem: Problem, x: Tensor) -> Tensor:
    scores = ask(problem.target, x, problem.eot)
    return margin(scores, problem.y, abstains=problem.target.traits.abstains)

"""How much a way of training leaks: many models on random halves, each a target in turn, the others its references.

One stack of models serves for all targets, so the false-positive rate has many times the records behind it. The model
trained on a target's complement is no reference for it: it would tell the attacker the answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bartizan.core.measures import Measurement, bootstrap
from bartizan.lab.membership.attacks import ATTACKS, Membership
from bartizan.lab.membership.judge import Leak, judge_targets, most_vulnerable, worst
from bartizan.lab.membership.related import attacks_on
from bartizan.lab.membership.shadows import Progress, Train, balanced_halves, shadow_scores
from bartizan.lab.membership.signals import FLOOR, Observed
from bartizan.lab.membership.stacked import Recipe


@dataclass(frozen=True)
class Study:
    """What all attacks won against one way of training, and how good its models are."""

    leaks: tuple[Leak, ...]
    train_accuracy: Measurement
    test_accuracies: tuple[float, ...]
    """Of each model on the records it was not trained on."""
    seed: int
    vulnerable: tuple[int, ...]
    """The records that attacks recognise best when they are members, worst first."""

    @property
    def test_accuracy(self) -> Measurement:
        """Return the mean over models."""
        return _mean(self.test_accuracies, self.seed)

    @property
    def worst(self) -> Leak:
        """Return the attack that wins most at the lowest false-positive rate."""
        return worst(self.leaks)


def study(
    data: tuple[np.ndarray, np.ndarray],
    how: Recipe | Train,
    *,
    models: int,
    seed: int,
    cache: Path | None = None,
    progress: Progress = lambda what, done, total: None,
) -> Study:
    """Train `models` (even, at least 6) models `how` says on random halves of `data` (x, y) and attack each of them."""
    if models < 6:
        raise ValueError(f"study(models={models}): expected at least 6, so that a target has 4 references")
    inside = balanced_halves(len(data[1]), models, seed)
    scores = shadow_scores(data, inside, how, seed=seed, cache=cache, progress=progress)
    return attacked(scores, inside, data[1], seed=seed, attacks=attacks_on(*data))


def attacked(
    scores: np.ndarray,
    inside: np.ndarray,
    y: np.ndarray,
    *,
    seed: int,
    attacks: Sequence[Membership] = ATTACKS,
    floor: float = FLOOR,
) -> Study:
    """Attack each of `scores` (models, n, classes) with the others as references; `inside` in pairs of halves."""
    each = {attack.name: np.empty(inside.shape) for attack in attacks}
    for target in range(len(scores)):
        others = [number for number in range(len(scores)) if number // 2 != target // 2]
        seen = Observed(scores[target], scores[others], inside[others], y, floor)
        for attack in attacks:
            each[attack.name][target] = attack.score(seen)
    leaks = tuple(judge_targets(name, score, inside, seed=seed) for name, score in each.items())
    right = scores.argmax(axis=2) == y
    return Study(
        leaks,
        _mean([float(right[row][inside[row]].mean()) for row in range(len(right))], seed),
        tuple(float(right[row][~inside[row]].mean()) for row in range(len(right))),
        seed,
        _vulnerable(each[worst(leaks).attack], inside),
    )


def _mean(values: Sequence[float], seed: int) -> Measurement:
    return bootstrap(values, lambda data: float(np.mean(data)), seed=seed, unit="share")


def _vulnerable(scores: np.ndarray, inside: np.ndarray, count: int = 10) -> tuple[int, ...]:
    """Return the records with the best mean rank over the targets they were members of."""
    ranks = np.full(scores.shape, np.nan)
    for row, member in enumerate(inside):
        order = most_vulnerable([scores[row]], member, count=int(member.sum()))
        ranks[row, order] = np.arange(len(order))
    return tuple(int(record) for record in np.argsort(np.nanmean(ranks, axis=0), kind="stable")[:count])

"""Runs attacks one after the other on what still stands, as AutoAttack does, and says what each one added.

The suites are tuples in running order: cheap before dear. Nothing is scored here but by the judge.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from bartizan.core.errors import BadSettings
from bartizan.core.measures import Measurement, proportion
from bartizan.lab.evasion.apgd import Apgd
from bartizan.lab.evasion.base import Evasion, Problem
from bartizan.lab.evasion.fab import Fab
from bartizan.lab.evasion.hop_skip_jump import HopSkipJump
from bartizan.lab.evasion.hopping import Hopping, Round
from bartizan.lab.evasion.judge import judge, judge_clean
from bartizan.lab.evasion.patch import Patch, PatchAnywhere
from bartizan.lab.evasion.pgd import Pgd
from bartizan.lab.evasion.square import Square
from bartizan.lab.target import Access

Tensor = torch.Tensor
Progress = Callable[[str, int, int], None]
Suite = Literal["strongest", "standard", "quick"]

STANDARD: tuple[Evasion, ...] = (Apgd("ce"), Apgd("targeted"), Fab(), Square(5000))
"""AutoAttack's standard version (Croce and Hein, ICML 2020): its attacks, budgets and order."""
DEFAULT: tuple[Evasion, ...] = (
    Pgd(20, 0.25, momentum=0.75),
    Apgd("ce", 100),
    Hopping((Round(1.0, 300, 50, 1), Round(0.25, 300, 50, 5), Round(0.1, 1000, 50, 6), Round(0.05, 3000, 100, 2))),
    Apgd("targeted", 100, aims=3),
)
"""The lab's own: Square and gradients by turns on what is nearest to falling, no FAB. Stronger on flat losses."""
QUICK: tuple[Evasion, ...] = (Pgd(20, 0.25, momentum=0.75), Apgd("ce", 40), Square(300))
"""For a first look and for proofs that must end within a minute."""
SCORES_ONLY: tuple[Evasion, ...] = (Square(5000),)
LABELS_ONLY: tuple[Evasion, ...] = (HopSkipJump(3000),)
SPARSE: tuple[Evasion, ...] = (Pgd(40, 0.5), Pgd(100, 0.2, restarts=3))
"""For L0."""
PATCHES: tuple[Evasion, ...] = (PatchAnywhere(100), Patch(40, 2), Patch(100, 10))
"""For one rectangle of any values."""


@dataclass(frozen=True)
class Stage:
    """What one attack of a suite did."""

    attack: str
    standing_before: int
    fell: int
    robust: Measurement
    """Robust accuracy after it, over all examples."""
    queries: int
    seconds: float


@dataclass(frozen=True)
class Attacked:
    """What a suite did to a problem."""

    clean: Measurement
    robust: Measurement
    stages: tuple[Stage, ...]
    adversarial: Tensor
    """The worst allowed input found for each example, (n, …): the original where none was."""
    fooled: Tensor
    """Which examples fell, those that were wrong without any attack included, (n,) bool."""
    skipped: tuple[str, ...]
    """Attacks that need more access than the target gives."""


def suite_for(problem: Problem, wanted: Suite = "strongest") -> tuple[Evasion, ...]:
    """Return the attacks to run, by the norm and the target's access; empty where none of ours applies.

    Raises BadSettings where AutoAttack's suite is wanted in a norm, or with an access, that it is not made for.
    """
    access, norm = problem.target.access, problem.ball.norm
    if norm not in ("Linf", "L2") or access is Access.LABELS:
        if wanted == "standard":
            raise BadSettings(
                "the standard suite is made for Linf and L2 with scores at least: "
                f"got {norm} with {access.name.lower().replace('_', ' ')}",
                hint="Use --suite strongest, which takes the attacks that fit.",
            )
        if access is Access.LABELS and norm in ("Linf", "L2"):
            return LABELS_ONLY if wanted == "strongest" else (HopSkipJump(500),)
        if access is not Access.WHITE_BOX:
            return ()
        strongest = SPARSE if norm == "L0" else PATCHES
        return strongest if wanted == "strongest" else strongest[:1]
    if wanted == "strongest":
        return DEFAULT if access is Access.WHITE_BOX else SCORES_ONLY
    return STANDARD if wanted == "standard" else QUICK


def run_suite(
    problem: Problem,
    attacks: Sequence[Evasion],
    progress: Progress = lambda what, done, total: None,
    asked: int = 1,
) -> Attacked:
    """Run `attacks` in order on what still stands; `asked` answers are counted for each (more for random models)."""
    clean = judge_clean(problem, asked)
    fallen, worst = clean.fooled.clone(), problem.x.clone()
    stages: list[Stage] = []
    skipped = []
    for number, attack in enumerate(attacks):
        progress(attack.name, number, len(attacks))
        rows = (~fallen).nonzero()[:, 0]
        if attack.needs > problem.target.access:
            skipped.append(attack.name)
            continue
        begun, asked_before = time.perf_counter(), problem.target.queries
        if len(rows):
            part = problem.part(rows, problem.seed + number)
            judged = judge(part, attack.perturb(part), asked)
            fallen[rows[judged.fooled]] = True
            worst[rows[judged.fooled]] = judged.adversarial[judged.fooled]
        robust = proportion(int((~fallen).sum()), len(fallen), seed=problem.seed)
        fell = len(rows) - int((~fallen).sum())
        spent = problem.target.queries - asked_before
        stages.append(Stage(attack.name, len(rows), fell, robust, spent, time.perf_counter() - begun))
    progress("done", len(attacks), len(attacks))
    robust = proportion(int((~fallen).sum()), len(fallen), seed=problem.seed)
    return Attacked(clean.robust_accuracy(problem.seed), robust, tuple(stages), worst, fallen, tuple(skipped))


def curve(
    problem: Problem, attacks: Sequence[Evasion], factors: Sequence[float], progress: Progress = lambda w, d, t: None
) -> list[tuple[float, Attacked]]:
    """Return (epsilon, what fell) for balls of `factors` × the problem's size, smallest first.

    What fell in a smaller ball has fallen in every larger one, and is not attacked again: the curve never rises.
    """
    points: list[tuple[float, Attacked]] = []
    fallen = torch.zeros(len(problem.x), dtype=torch.bool)
    worst = problem.x.clone()
    for number, factor in enumerate(sorted(factors)):
        progress("accuracy against epsilon", number, len(factors))
        ball = problem.ball.scaled(factor)
        rows = (~fallen).nonzero()[:, 0]
        part = Problem(problem.target, ball, problem.x[rows], problem.y[rows], problem.seed, problem.eot)
        found = run_suite(part, attacks) if len(rows) else None
        if found is not None:
            worst[rows], fallen[rows] = found.adversarial, found.fooled
        robust = proportion(int((~fallen).sum()), len(fallen), seed=problem.seed)
        clean = points[0][1].clean if points else (found.clean if found else robust)
        stages = found.stages if found else ()
        points.append((ball.epsilon, Attacked(clean, robust, stages, worst.clone(), fallen.clone(), ())))
    return points

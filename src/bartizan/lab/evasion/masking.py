"""Says when gradients lie: signs that a defence hides its gradients instead of being robust.

After Athalye, Carlini and Wagner (ICML 2018) and Carlini et al. (2019): white box must not lose to black box, an
unbounded attack must win always, gradients must exist, and a model must answer the same question the same way twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from bartizan.lab.evasion.apgd import Apgd
from bartizan.lab.evasion.balls import Ball
from bartizan.lab.evasion.base import Problem, differentiate
from bartizan.lab.evasion.judge import judge, judge_clean
from bartizan.lab.evasion.objectives import usual
from bartizan.lab.evasion.pgd import Pgd
from bartizan.lab.evasion.square import Square
from bartizan.lab.target import Access


@dataclass(frozen=True)
class Sign:
    """One sign of masked gradients: what was seen and what to do about it."""

    name: str
    seen: str
    advice: str


def masking_signs(problem: Problem, queries: int = 500) -> tuple[Sign, ...]:
    """Return the signs of gradient masking on a white-box problem (a few dozen examples are enough); empty: none."""
    if problem.target.access is not Access.WHITE_BOX:
        return ()
    right = ~judge_clean(problem).fooled
    if not right.any():
        return ()
    part = problem.part(right)
    found = (_at_random(part), _vanishing(part), _black_box_wins(part, queries), _unbounded_fails(part))
    return tuple(sign for sign in found if sign is not None)


def _at_random(problem: Problem) -> Sign | None:
    first, second = (problem.target.log_scores(problem.x.numpy()) for _ in range(2))
    if abs(first - second).max() <= 1e-5:
        return None
    return Sign(
        "answers at random",
        f"the same input twice gave scores that differ by up to {abs(first - second).max():.2g}",
        "Average gradients over passes: --eot 10 or more.",
    )


def _vanishing(problem: Problem) -> Sign | None:
    _, gradient, _ = differentiate(problem, problem.x, problem.y, usual(problem.target))
    dead = (gradient.flatten(1).abs().amax(1) < 1e-10).float().mean().item()
    if dead < 0.25:
        return None
    return Sign(
        "vanishing gradients",
        f"the gradient is zero at {dead:.0%} of the examples",
        "Attack through a smooth stand-in of the step that cuts the gradient (Target.through), or as a black box.",
    )


def _black_box_wins(problem: Problem, queries: int) -> Sign | None:
    if problem.ball.norm not in ("Linf", "L2"):
        return None
    white = judge(problem, Apgd("ce", 40).perturb(problem))
    standing = ~white.fooled
    if not standing.any():
        return None
    part = problem.part(standing)
    black = judge(part, Square(queries).perturb(part))
    won = int(black.fooled.sum())
    if won <= max(1, 0.05 * len(problem.x)):
        return None
    return Sign(
        "black box beats white box",
        f"Square with {queries} queries fooled {won} of {len(part.x)} examples that survived 40 steps of gradients",
        "Do not trust the white-box figure; the black-box one is the better bound.",
    )


def _unbounded_fails(problem: Problem) -> Sign | None:
    """With no bound any class can be reached, so a gradient attack that fails there was led astray."""
    low, high = problem.box.low, problem.box.high
    reach = float((high - low).max())
    reach = reach if reach < 1e6 else 100 * float(problem.x.abs().max().clamp_min(1))
    far = Ball("Linf", reach) if problem.ball.norm == "Linf" else Ball("L2", reach * problem.x[0].numel() ** 0.5)
    free = Problem(problem.target, far, problem.x, problem.y, problem.seed, problem.eot)
    stands = ~judge(free, Pgd(60, 0.05, momentum=0.75).perturb(free)).fooled
    if stands.any():
        rest = free.part(stands)
        left = ~judge(rest, Apgd("ce", 60).perturb(rest)).fooled
        stands[stands.clone()] = left
    share = stands.float().mean().item()
    if share <= 0.05:
        return None
    return Sign(
        "an unbounded attack fails",
        f"{share:.0%} of the examples stand against gradients with no bound at all",
        "The gradients lead nowhere: attack through a stand-in, with several restarts, or as a black box.",
    )

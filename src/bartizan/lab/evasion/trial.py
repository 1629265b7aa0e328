"""Sets up one measurement of a classifier with a control off and on: the operator's own, or a reference made here.

The control is adversarial training on the reference; on the operator's model it is the hardened weights that the
settings name, or else a confidence threshold calibrated on half of the data. The attacker always knows it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from bartizan.core.errors import BadSettings
from bartizan.core.sections.lab import Lab
from bartizan.lab.evasion.apgd import Apgd
from bartizan.lab.evasion.balls import Ball
from bartizan.lab.evasion.base import Evasion, Problem
from bartizan.lab.evasion.hop_skip_jump import HopSkipJump
from bartizan.lab.evasion.pgd import Pgd
from bartizan.lab.evasion.square import Square
from bartizan.lab.evasion.suite import suite_for
from bartizan.lab.hardening.adversarial_training import Recipe, trained
from bartizan.lab.hardening.rejection import calibrated_confident, confident_target
from bartizan.lab.labelled import Labelled, load
from bartizan.lab.reference_classifier import DIGITS_SPEC, digits, small_cnn
from bartizan.lab.target import Access, Arrays, Target
from bartizan.lab.targets.opening import Described, open_target
from bartizan.lab.targets.torch_modules import of_module

REFERENCE_EPSILON = 0.15
FALSE_ALARMS = 0.02
Progress = Callable[[str, int, int], None]

ATTACKERS: tuple[tuple[str, Access, tuple[Evasion, ...]], ...] = (
    ("white box", Access.WHITE_BOX, (Pgd(20, 0.25, momentum=0.75), Apgd("ce", 50), Apgd("targeted", 30, aims=3))),
    ("scores only", Access.SCORES, (Square(500),)),
    ("labels only", Access.LABELS, (HopSkipJump(400),)),
)
"""Who attacks, what they see, and with what. Each runs on its own, so that the rows can be compared."""


@dataclass(frozen=True)
class Trial:
    """The same examples against the model without and with its control."""

    off: Problem
    on: Problem
    control: str
    is_reference: bool
    notes: tuple[str, ...]


def reference_trial(seed: int, examples: int = 200, progress: Progress = lambda what, done, total: None) -> Trial:
    """Train a plain and a hardened network on scikit-learn's digits (seconds) and return the trial of both."""
    train, test = digits(seed)
    modules = [
        trained(small_cnn(seed=seed), train, DIGITS_SPEC, recipe, progress)
        for recipe in (
            Recipe("none", epochs=8, seed=seed),
            Recipe("fast", REFERENCE_EPSILON, epochs=25, seed=seed),
        )
    ]
    targets = [
        of_module(name, module, DIGITS_SPEC, classes=10)
        for name, module in zip(("digits, plain", "digits, hardened"), modules, strict=True)
    ]
    off, on = (_problem(target, Ball("Linf", REFERENCE_EPSILON), test.first(examples), seed) for target in targets)
    notes = (
        "The model is a small network trained on the spot on scikit-learn's handwritten digits (8 × 8 pixels); "
        f"the attacker may change every pixel by {REFERENCE_EPSILON:g} of its range.",
    )
    return Trial(off, on, "adversarial training (fast FGSM)", is_reference=True, notes=notes)


def own_trial(lab: Lab, seed: int) -> Trial:
    """Return the trial of the operator's model on the operator's data. Raises BadSettings for what is missing."""
    if not lab.data:
        raise BadSettings("lab.classifier is set but lab.data is not: expected test data to attack")
    data = load(Path(lab.data), lab.low, lab.high).shaped(lab.shape).shuffled(seed)
    target = open_target(lab.classifier, described(lab, data))
    target.counter.limit = lab.max_queries
    _fits(target, data)
    half = min(lab.examples, len(data) // 2)
    attacked, clean = data.first(half), data.part(half, len(data))
    ball = Ball(lab.norm, lab.epsilon)
    off = _problem(target, ball, attacked, seed)
    guarded, control = _controlled(lab, target, clean, data)
    guarded.counter.limit = lab.max_queries
    notes = (f"{target.name} gives {target.access.name.lower().replace('_', ' ')}; bound: {ball}.", *target.notes)
    return Trial(off, _problem(guarded, ball, attacked, seed), control, is_reference=False, notes=notes)


def attackers_of(problem: Problem) -> list[tuple[str, Problem, tuple[Evasion, ...]]]:
    """Return (name, problem as that attacker sees it, attacks) for every attacker the target's access allows."""
    usual = problem.ball.norm in ("Linf", "L2")
    return [
        (name, replace(problem, target=problem.target.seen_with(access)), attacks if usual else suite_for(problem))
        for name, access, attacks in ATTACKERS
        if access <= problem.target.access and (usual or access is Access.WHITE_BOX)
    ]


def _controlled(lab: Lab, target: Target, clean: Labelled, data: Labelled) -> tuple[Target, str]:
    if lab.hardened:
        hardened = open_target(lab.hardened, described(lab, data))
        return hardened, f"the hardened model {Path(lab.hardened).name}"
    if target.access is Access.LABELS:
        raise BadSettings(
            f"{target.name} gives labels only, so no control can be put in front of its scores",
            hint="Name a hardened version as lab.hardened.",
        )
    what = f"a confidence threshold with at most {FALSE_ALARMS:.0%} false alarms"
    if target.access is Access.WHITE_BOX and isinstance(target.spec, Arrays):
        module = calibrated_confident(target.module, torch.from_numpy(target.spec.checked(clean.x)), FALSE_ALARMS)
        name = f"{target.name} with a confidence threshold"
        return of_module(name, module, target.spec, classes=target.classes + 1, abstains=True), what
    return confident_target(target, clean.x, FALSE_ALARMS), what


def described(lab: Lab, data: Labelled) -> Described:
    """Return what the settings and the data tell of a model that cannot tell it itself."""
    shape = lab.shape or data.x.shape[1:]
    return Described(
        shape=tuple(shape),
        low=lab.low,
        high=lab.high,
        classes=lab.classes or int(data.y.max()) + 1,
        factory=lab.factory,
    )


def _fits(target: Target, data: Labelled) -> None:
    if int(data.y.max()) >= target.classes:
        raise BadSettings(f"lab.data holds class {int(data.y.max())}, {target.name} knows 0..{target.classes - 1}")
    target.spec.checked(data.x[:1])


def _problem(target: Target, ball: Ball, data: Labelled, seed: int) -> Problem:
    return Problem(target, ball, torch.from_numpy(data.x), torch.from_numpy(data.y), seed)

"""Attacks certificates of randomised smoothing: an answer that changes within its own radius breaks the promise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from bartizan.lab.evasion.balls import Ball
from bartizan.lab.evasion.base import Problem
from bartizan.lab.evasion.pgd import Pgd
from bartizan.lab.hardening.smoothing import ABSTAIN, Certificate, Smoothed, certify, predict
from bartizan.lab.target import Arrays
from bartizan.lab.targets.torch_modules import of_module

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Tested:
    """What came of attacking certificates, one entry for each input."""

    certificates: tuple[Certificate, ...]
    broken: tuple[bool, ...]
    """True where an input inside the radius got another class, with statistical confidence."""

    @property
    def certified(self) -> int:
        """Return how many inputs have a certificate."""
        return sum(one.label != ABSTAIN for one in self.certificates)


def attack_certificates(
    module: Smoothed,
    x: torch.Tensor,
    spec: Arrays,
    seed: int = 0,
    samples: int = 500,
    progress: Progress = lambda what, done, total: None,
) -> Tested:
    """Certify each input of `x` (n, …), attack it in the L2 ball of its own radius, and ask the smoothed model again.

    The attack climbs the averaged gradient (SmoothAdv, Salman et al., NeurIPS 2019) away from the certified class.
    """
    draw = torch.Generator().manual_seed(seed)
    target = of_module("smoothed", module, spec, classes=_classes(module, x))
    found, broken = [], []
    for number, one in enumerate(x):
        progress("certificates", number, len(x))
        certificate = certify(module, one, draw, samples=samples)
        found.append(certificate)
        if certificate.label == ABSTAIN:
            broken.append(False)
            continue
        some = Problem(target, Ball("L2", certificate.radius), one[None], torch.tensor([certificate.label]), seed)
        reached = Pgd(10, 0.3).perturb(some)
        # The attack stops just behind the border, where votes are too close to call: also go on, to the ball's edge.
        delta = reached - some.x
        stretched = some.x + delta / delta.norm().clamp_min(1e-12) * certificate.radius
        points = [some.ball.project(one, some.x, some.box)[0] for one in (reached, stretched)]
        said = [predict(module, one, draw, samples=samples) for one in points]
        broken.append(any(one not in (certificate.label, ABSTAIN) for one in said))
    progress("certificates", len(x), len(x))
    return Tested(tuple(found), tuple(broken))


def _classes(module: Smoothed, x: torch.Tensor) -> int:
    with torch.inference_mode():
        return int(module(x[:1]).shape[1])

"""PGD and its one-step form."""

import torch

from bartizan.lab.evasion.judge import judge
from bartizan.lab.evasion.pgd import Pgd


def test_one_step_from_the_original_is_fgsm(plain, problem):
    """x + ε·sign(gradient), clipped: compared with the formula."""
    some = problem(plain, n=10)
    leaf = some.x.clone().requires_grad_()
    torch.nn.functional.cross_entropy(plain.module(leaf), some.y, reduction="sum").backward()
    formula = (some.x + 0.15 * leaf.grad.sign()).clamp(0, 1)
    attack = Pgd(1, 1.0, restarts=0)
    assert attack.name == "FGSM"
    right = plain.module(some.x).argmax(1) == some.y
    assert torch.allclose(attack.perturb(some)[right], formula[right], atol=1e-6)


def test_restarts_and_momentum_find_at_least_as_much(robust, problem):
    """Three restarts contain the first."""
    some = problem(robust)
    once, thrice = (judge(some, Pgd(10, 0.25, restarts=n).perturb(some)).fooled.sum() for n in (1, 3))
    assert thrice >= once

"""What every attack on numeric inputs must do: stay honest, need what it says, gain from budget, win when unbounded."""

from itertools import pairwise

import pytest
import torch
from tests.lab.conftest import digit_data, plain, plain_module, problem, robust, robust_module  # noqa: F401

from bartizan.lab.evasion.apgd import Apgd
from bartizan.lab.evasion.fab import Fab
from bartizan.lab.evasion.hop_skip_jump import HopSkipJump
from bartizan.lab.evasion.hopping import Hopping, Round
from bartizan.lab.evasion.judge import judge, judge_clean
from bartizan.lab.evasion.patch import Patch
from bartizan.lab.evasion.pgd import Pgd
from bartizan.lab.evasion.square import Square
from bartizan.lab.evasion.suite import run_suite

ATTACKS = (
    (Apgd("ce", 30), ("Linf", "L2")),
    (Apgd("dlr", 30), ("Linf", "L2")),
    (Apgd("targeted", 20, aims=3), ("Linf", "L2")),
    (Fab(20, aims=3), ("Linf", "L2")),
    (Pgd(20, 0.25, momentum=0.75), ("Linf", "L2", "L0")),
    (Square(300), ("Linf", "L2")),
    (Hopping((Round(1.0, 50, 15, 2),)), ("Linf", "L2")),
    (HopSkipJump(400), ("Linf", "L2")),
    (Patch(20, 2), ("patch",)),
)
CASES = [pytest.param(attack, norm, id=f"{attack.name} {norm}") for attack, norms in ATTACKS for norm in norms]
EPSILONS = {"Linf": (0.05, 0.15), "L2": (0.4, 1.2), "L0": (2, 8), "patch": (0.1, 0.4)}
ALL_OF_IT = {"Linf": 1.0, "L2": 8.0, "L0": 64.0, "patch": 1.0}


@pytest.mark.parametrize(("attack", "norm"), CASES)
def test_it_proposes_what_was_asked_for(plain, problem, attack, norm):  # noqa: F811
    """The proposals have the originals' shape, need the stated access only, and are the same for the same seed."""
    target = plain.seen_with(attack.needs)
    some = problem(target, norm, EPSILONS[norm][1], n=12)
    first, second = attack.perturb(some), attack.perturb(some)
    assert first.shape == some.x.shape
    assert torch.equal(first, second)
    assert target.queries > 0


@pytest.mark.parametrize(("attack", "norm"), CASES)
def test_a_larger_ball_never_helps_the_model(plain, problem, attack, norm):  # noqa: F811
    """Accuracy falls, or stays, from no ball to a small one, a larger one and the whole range, where it ends at 0."""
    sizes = (0, *EPSILONS[norm], ALL_OF_IT[norm])
    shares = []
    for size in sizes:
        some = problem(plain, norm, size, n=40)
        shares.append((~judge(some, attack.perturb(some)).fooled).float().mean().item())
    assert shares[0] == (~judge_clean(some).fooled).float().mean().item()
    assert shares == sorted(shares, reverse=True), dict(zip(sizes, shares, strict=True))
    assert shares[-1] == 0


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_seeing_more_never_wins_less(robust, problem, norm):  # noqa: F811
    """White box ≤ scores ≤ labels, on a model that was hardened so that all of them leave something standing."""
    shares = []
    for attacks in ((Apgd("ce", 60), Apgd("targeted", 60)), (Square(600),), (HopSkipJump(600),)):
        some = problem(robust.seen_with(attacks[0].needs), norm, EPSILONS[norm][1], n=60)
        shares.append(run_suite(some, attacks).robust.value)
    a_few = 2 / 60  # images that one random search happens to find and another does not
    assert all(less <= more + a_few for less, more in pairwise(shares)), shares


@pytest.mark.parametrize(
    ("less", "more"),
    [
        (Apgd("ce", 5), Apgd("ce", 60)),
        (Square(20), Square(600)),
        (Pgd(2), Pgd(40)),
        (HopSkipJump(60), HopSkipJump(900)),
    ],
)
def test_more_budget_never_wins_less(plain, problem, less, more):  # noqa: F811
    """In a suite, where what has fallen stays fallen, and on its own."""
    some = problem(plain, n=60)
    few, many = (run_suite(some, (attack,)).robust.value for attack in (less, more))
    assert many <= few
    assert run_suite(some, (less, more)).robust.value <= many

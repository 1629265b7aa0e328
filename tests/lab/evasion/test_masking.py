"""Defences that only hide their gradients are reported as such, and honest models are not."""

import pytest
import torch

from bartizan.lab.evasion.apgd import Apgd
from bartizan.lab.evasion.masking import masking_signs
from bartizan.lab.evasion.suite import run_suite
from bartizan.lab.reference_classifier import DIGITS_SPEC
from bartizan.lab.target import Access
from bartizan.lab.targets.torch_modules import of_module


class Quantised(torch.nn.Module):
    """Rounds its input: no gradient passes (a published "defence" by discretisation)."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner((x * 8).round() / 8)


class Saturated(torch.nn.Module):
    """Scales logits until the softmax is flat in float32 (defensive distillation's effect, Carlini and Wagner 2017)."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return torch.log_softmax(self.inner(x) * 1e4, 1).clamp_min(-80)


class Shaken(torch.nn.Module):
    """Adds noise to its input at every question."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x + 0.1 * torch.randn_like(x))


@pytest.mark.parametrize(
    ("wrap", "expected"),
    [(Quantised, "vanishing gradients"), (Saturated, "vanishing gradients"), (Shaken, "answers at random")],
)
def test_a_planted_mask_is_seen(plain_module, problem, wrap, expected):
    """Each hides in its own way."""
    torch.manual_seed(0)
    target = of_module("masked", wrap(plain_module), DIGITS_SPEC, classes=10)
    signs = {sign.name for sign in masking_signs(problem(target, n=30))}
    assert expected in signs
    if wrap is Quantised:
        assert {"black box beats white box", "an unbounded attack fails"} <= signs


def test_honest_models_show_no_sign(plain, robust, problem):
    """Neither a plain network nor one trained on attacks."""
    assert masking_signs(problem(plain, n=30)) == ()
    assert masking_signs(problem(robust, n=30)) == ()


def test_nothing_is_said_without_weights_or_without_right_answers(plain, problem):
    """Signs are about gradients."""
    assert masking_signs(problem(plain.seen_with(Access.SCORES), n=5)) == ()
    some = problem(plain, n=5)
    wrong = type(some)(some.target, some.ball, some.x, (some.y + 1) % 10)
    assert masking_signs(wrong) == ()


def test_going_around_the_mask_breaks_it(plain_module, problem):
    """With the straight-through stand-in the quantised model is as weak as the plain one (Athalye et al. 2018)."""
    masked = of_module("masked", Quantised(plain_module), DIGITS_SPEC, classes=10)
    blind = run_suite(problem(masked), (Apgd("ce", 30),)).robust.value
    around = run_suite(problem(masked.through(plain_module)), (Apgd("ce", 30),)).robust.value
    bare = run_suite(problem(of_module("p", plain_module, DIGITS_SPEC, classes=10)), (Apgd("ce", 30),)).robust.value
    assert blind > around + 0.3
    assert around <= bare + 0.1

"""RelaxLoss trains as usual above its level, pushes back below it, and is the same in a stack as in autograd."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.lab.membership.samples import records

from bartizan.lab.membership.stacked import Noise, Recipe, train
from bartizan.lab.privacy.relaxing import relaxed_delta, relaxed_loss

LOGITS = torch.tensor([[3.0, 0.0, -1.0], [0.2, 1.5, 0.0], [0.0, 0.1, 2.0], [1.0, 0.0, 0.5]])
LABELS = torch.tensor([0, 1, 2, 2])  # the last one is answered wrongly


@pytest.mark.parametrize("level", [0.0, 0.1, 2.0])
@pytest.mark.parametrize("epoch", [0, 1])
def test_a_stack_gets_the_gradient_that_autograd_finds(level, epoch):
    """Above the level, below it, in both kinds of epochs."""
    logits = LOGITS.clone().requires_grad_()
    relaxed_loss(logits, LABELS, level, epoch).backward()
    hard = torch.nn.functional.one_hot(LABELS, 3).float()[None]
    delta = relaxed_delta(LOGITS[None], hard, torch.full((1, 4), 0.25), level, epoch)
    torch.testing.assert_close(delta[0], logits.grad)


def test_a_batch_below_the_level_is_pushed_back_up():
    """Descending the loss raises the cross-entropy there, and lowers it where the level is not reached."""
    before = torch.nn.functional.cross_entropy(LOGITS, LABELS)
    for level, up in ((2.0, True), (0.1, False)):
        logits = LOGITS.clone().requires_grad_()
        relaxed_loss(logits, LABELS, level, 0).backward()
        after = torch.nn.functional.cross_entropy((logits - 0.1 * logits.grad).detach(), LABELS)
        assert bool(after > before) is up


def test_members_stand_out_less_and_a_promise_of_privacy_is_not_mixed_in():
    """The gap between members' and others' losses shrinks; with noise the accountant would speak of something else."""
    x, y = records(n=200)
    inside = np.arange(200)[None] < 100
    plain = Recipe(hidden=(64,), activation="relu", epochs=60, batch=16, learning_rate=5e-3)

    def gap(recipe):
        logits = torch.from_numpy(train(x, y, inside, recipe, 3).logits(x))[0]
        losses = torch.nn.functional.cross_entropy(logits, torch.from_numpy(y), reduction="none").numpy()
        return losses[100:].mean() - losses[:100].mean()

    assert gap(replace(plain, relax=0.5)) < 0.7 * gap(plain)
    with pytest.raises(ValueError, match="relax"):
        replace(plain, relax=0.5, noise=Noise(1.0, 1.0))
    with pytest.raises(ValueError, match="relax"):
        replace(plain, relax=-1.0)

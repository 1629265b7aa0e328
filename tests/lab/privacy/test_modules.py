"""A module's records are cut one by one, none moves it further than the clip, and what mixes records is refused."""

import numpy as np
import pytest
import torch

from bartizan.lab.privacy.audit import audit, with_canaries
from bartizan.lab.privacy.modules import PrivatePlan, clipped_sum, train_privately


def network():
    """A small convolutional network with a normalisation that sees one record."""
    torch.manual_seed(3)
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3), torch.nn.GroupNorm(1, 2), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(72, 3)
    )


def test_the_sum_is_that_of_a_loop_over_records():
    """Each gradient by autograd, cut by hand."""
    module, x, y = network(), torch.randn(5, 1, 8, 8) * 3, torch.tensor([0, 1, 2, 1, 0])
    expected = {name: torch.zeros_like(one) for name, one in module.named_parameters()}
    for record, label in zip(x, y, strict=True):
        module.zero_grad()
        torch.nn.functional.cross_entropy(module(record[None]), label[None]).backward()
        length = torch.sqrt(sum((one.grad**2).sum() for one in module.parameters()))
        for name, one in module.named_parameters():
            expected[name] += one.grad * min(1.0, 0.5 / float(length))
    for name, one in clipped_sum(module, x, y, 0.5).items():
        torch.testing.assert_close(one, expected[name], atol=1e-5, rtol=1e-4)


def test_one_record_moves_the_sum_by_the_clip_at_most():
    """A huge one by no more than that, one without a finite gradient by nothing, an empty batch by nothing."""
    module, x, y = network(), torch.randn(4, 1, 8, 8), torch.tensor([0, 1, 2, 1])
    x[2] *= 1e4
    x[3] = torch.inf
    whole, without = (clipped_sum(module, x[:count], y[:count], 0.5) for count in (3, 2))
    assert torch.sqrt(sum((whole[name] - without[name]).square().sum() for name in whole)) <= 0.5001
    for name, one in clipped_sum(module, x, y, 0.5).items():
        torch.testing.assert_close(one, whole[name])
    assert not any(one.any() for one in clipped_sum(module, x[:0], y[:0], 0.5).values())


@pytest.mark.parametrize("noisy", [True, False])
def test_the_audit_believes_it_with_its_noise_and_not_without(noisy, monkeypatch):
    """Canaries in features of their own, epsilon 1 promised, all records in every step."""
    draw = np.random.default_rng(1)
    world = with_canaries(draw.random((60, 8)).astype(np.float32), draw.integers(0, 4, 60), 400, seed=2)
    inside = world.inside[0]
    module = torch.nn.Linear(world.x.shape[1], 4)
    torch.nn.init.zeros_(module.weight)
    if not noisy:
        monkeypatch.setattr(torch, "randn", lambda shape, generator: torch.zeros(shape))
    plan = PrivatePlan(1.0, epochs=4, batch=int(inside.sum()), learning_rate=5.0)
    said = train_privately(module, world.x[inside], world.y[inside], plan)
    assert said.pld <= 1.0
    found = audit(world.scores(module.weight.detach().numpy().T), world.coins, delta=1e-5)
    assert (found.epsilon < 1.0) is noisy


def test_what_mixes_records_is_refused():
    """With the layer and what to take instead; so is a plan without a clip."""
    with pytest.raises(ValueError, match=r"1 is BatchNorm2d.*GroupNorm"):
        train_privately(
            torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2)),
            np.zeros((4, 1, 8, 8), np.float32), np.zeros(4, int), PrivatePlan(1.0),
        )  # fmt: skip
    with pytest.raises(ValueError, match="clip > 0"):
        PrivatePlan(1.0, clip=0.0)

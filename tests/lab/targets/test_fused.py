"""A fused copy says what the module says, follows its weights, and is made of nothing but plain layers."""

import pytest
import torch

from bartizan.lab.targets.fused import Fused, in_place


def net(*more):
    """A small network."""
    torch.manual_seed(1)
    conv = (torch.nn.Conv2d(1, 8, 3, 2), torch.nn.BatchNorm2d(8), torch.nn.ReLU(), torch.nn.Flatten())
    return torch.nn.Sequential(*conv, torch.nn.Linear(72, 16), torch.nn.ReLU(), *more, torch.nn.Linear(16, 5)).eval()


class Turning(torch.nn.Module):
    """A layer with a choice inside."""

    def forward(self, x):
        return x if float(x.detach().sum()) > 0 else -x


def said(ask, x):
    """What is answered, after enough questions for a copy."""
    with torch.inference_mode():
        for _ in range(20):
            answer = ask(x)
    return answer


def test_it_agrees_for_any_batch_and_follows_the_weights():
    """One row, many rows, after a training step in place, after other weights."""
    module, x = net(), torch.rand(40, 1, 8, 8)
    ask = Fused(module)
    assert torch.allclose(said(ask, x), module(x), atol=1e-5)
    assert ask._copy is not None
    assert torch.allclose(said(ask, x[:1]), module(x[:1]), atol=1e-5)
    with torch.no_grad():
        module[0].weight.add_(0.3)
    assert torch.allclose(said(ask, x), module(x), atol=1e-5)
    module[4] = torch.nn.Linear(72, 16)
    assert torch.allclose(said(ask, x), module(x), atol=1e-5)
    module[1].running_mean += 1
    assert torch.allclose(said(ask, x), module(x), atol=1e-5)


@pytest.mark.parametrize("what", ["choice", "hook", "few questions"])
def test_whatever_could_differ_goes_through_the_module_itself(what):
    """A layer with a choice inside, a hook that wants to see, a handful of questions."""
    module, x, seen = net(*[Turning()] * (what == "choice")), torch.rand(3, 1, 8, 8), []
    if what == "hook":
        module[2].register_forward_hook(lambda *_: seen.append(1))
    ask = Fused(module)
    answer = ask(x) if what == "few questions" else said(ask, x)
    assert ask._copy is None
    assert torch.equal(answer, module(x))
    assert bool(seen) == (what == "hook")


def test_a_copy_that_does_not_agree_is_not_used(monkeypatch):
    """Nor is one that cannot be made."""
    module, x = net(), torch.rand(3, 1, 8, 8)
    monkeypatch.setattr(torch.jit, "optimize_for_inference", lambda graph: lambda rows: graph(rows) + 1)
    assert torch.equal(said(Fused(module), x), module(x))
    monkeypatch.delattr(torch.jit, "freeze")
    assert torch.equal(said(Fused(module), x), module(x))


def test_what_is_written_over_is_seen_by_nobody():
    """Answers and gradients to the bit; the input stays; names, weights and the module itself too."""
    module = torch.nn.Sequential(torch.nn.ReLU(), net(torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Linear(16, 16))))
    quick, x = in_place(module.eval()), torch.randn(5, 1, 8, 8)
    leaves = [x.clone().requires_grad_() for _ in range(2)]
    said = [one(leaf) for one, leaf in zip((module, quick), leaves, strict=True)]
    for answer in said:
        answer.square().sum().backward()
    assert torch.equal(*said)
    assert torch.equal(leaves[0].grad, leaves[1].grad)
    assert torch.equal(leaves[1], x)
    assert list(quick.state_dict()) == list(module.state_dict())
    assert all(one is two for one, two in zip(module.parameters(), quick.parameters(), strict=True))
    assert not any(getattr(layer, "inplace", False) for layer in module.modules())
    assert sum(getattr(layer, "inplace", False) for layer in quick.modules()) == 2
    module[1][2].register_forward_hook(lambda *_: None)
    assert in_place(module) is module

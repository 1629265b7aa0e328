"""Torch targets: weights are data; a pickled module is refused."""

import zipfile

import numpy as np
import pytest
import torch

from bartizan.core.errors import BadArtifact, BadSettings
from bartizan.lab.target import Access, Arrays
from bartizan.lab.targets.torch_modules import load_weights, named, of_module

SPEC = Arrays((4,), 0, 1)


def small():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 3))


def test_a_module_is_white_box_and_differentiates_by_input():
    """Logits carry gradients to the input, none to the weights; rows and gradients are counted."""
    target = of_module("small", small(), SPEC, classes=3)
    assert target.access is Access.WHITE_BOX
    x = torch.rand(5, 4, requires_grad=True)
    target.logits(x).sum().backward()
    assert x.grad is not None
    assert all(one.grad is None for one in target.module.parameters())
    assert (target.queries, target.counter.gradients) == (5, 5)
    assert np.allclose(target.scores(x.detach().numpy()), target.logits(x).detach().numpy(), atol=1e-6)


def test_weights_come_back_from_safetensors_and_from_a_state_dict(tmp_path):
    """Both plain formats load into the factory's module."""
    from safetensors.torch import save_file

    state = {name: value + 1 for name, value in small().state_dict().items()}
    save_file(state, tmp_path / "w.safetensors")
    torch.save(state, tmp_path / "w.pth")
    torch.save({"state_dict": state, "epoch": 3}, tmp_path / "wrapped.pt")
    for name in ("w.safetensors", "w.pth", "wrapped.pt"):
        module = load_weights(tmp_path / name, small)
        assert torch.equal(module.state_dict()["0.weight"], state["0.weight"])


def test_a_pickled_module_is_refused_and_not_run(tmp_path):
    """Loading a whole module would run whatever its pickle says."""
    torch.save(small(), tmp_path / "module.pth")
    with pytest.raises(BadArtifact, match="no plain state dict"):
        load_weights(tmp_path / "module.pth", small)


def test_files_that_do_not_fit_say_why(tmp_path):
    """A missing file, another shape, and something that is no state dict."""
    with pytest.raises(BadArtifact, match="no such file"):
        load_weights(tmp_path / "none.pth", small)
    torch.save(torch.nn.Linear(2, 2).state_dict(), tmp_path / "other.pth")
    with pytest.raises(BadArtifact, match="does not fit Sequential"):
        load_weights(tmp_path / "other.pth", small)
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(BadArtifact, match="expected a state dict"):
        load_weights(tmp_path / "list.pth", small)
    with zipfile.ZipFile(tmp_path / "zip.pth", "w") as file:
        file.writestr("a", "b")
    with pytest.raises(BadArtifact, match="no plain state dict"):
        load_weights(tmp_path / "zip.pth", small)


def test_a_function_is_found_by_name_or_refused():
    """module:function, nothing else."""
    assert named("json:loads", "target")("1") == 1
    for wrong in ("json", "json:none", "no_module_here:x", "json:__name__"):
        with pytest.raises(BadSettings, match="target = "):
            named(wrong, "target")


def test_only_a_module_is_taken():
    """A function is not a module."""
    with pytest.raises(BadSettings, match=r"expected a torch.nn.Module"):
        of_module("f", sum, SPEC, classes=3)

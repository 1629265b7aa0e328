"""Targets that are torch modules. Weights come from a state dict (safetensors, or torch's `weights_only`) plus a
factory that the user names; a whole pickled module is refused, because loading one runs its code.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bartizan.core.errors import BadArtifact, BadSettings
from bartizan.lab.needs import need
from bartizan.lab.target import Access, Array, Arrays, Target, Traits
from bartizan.lab.targets.fused import Fused, in_place


def of_module(name: str, module: Any, spec: Arrays, *, classes: int, abstains: bool = False) -> Target:
    """Return a white-box target around a torch module from (n, *shape) float32 to logits (n, classes).

    The module is put into evaluation mode, and its parameters stop asking for gradients: attacks differentiate by
    input only.
    """
    torch = need("torch")
    if not isinstance(module, torch.nn.Module):
        raise BadSettings(f"{name}: expected a torch.nn.Module, got {type(module).__name__}")
    module.eval()
    for parameter in module.parameters():
        parameter.requires_grad_(False)

    ask = Fused(module)

    def predict(x: Array) -> Array:
        with torch.inference_mode():
            return np.asarray(ask(torch.from_numpy(x)).numpy())

    traits = Traits(classes, Access.WHITE_BOX, "logits", abstains)
    return Target(name, predict, spec, traits, module=in_place(module))


def load_weights(path: Path, factory: Callable[[], Any]) -> Any:
    """Return the factory's module with the weights in `path` (.safetensors, .pt, .pth, .bin).

    Raises BadArtifact when the file is no plain state dict or does not fit the module.
    """
    module = factory()
    state = _state(path)
    try:
        module.load_state_dict(state)
    except (RuntimeError, TypeError, KeyError) as error:
        why = " ".join(str(error).split())[:400]
        raise BadArtifact(f"{path.name} does not fit {type(module).__name__}: {why}") from error
    return module


def _state(path: Path) -> Any:
    torch = need("torch")
    if not path.is_file():
        raise BadArtifact(f"{path}: no such file")
    try:
        if path.suffix == ".safetensors":
            return need("safetensors.torch").load_file(path)
        # weights_only: torch's restricted reader, which builds tensors and plain containers and calls nothing else.
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        why = str(error).split("\n", 1)[0][:200]
        raise BadArtifact(
            f"{path.name} is no plain state dict: {type(error).__name__}: {why}",
            hint="Save `model.state_dict()` as safetensors; a pickled module would run its code when loaded.",
        ) from error
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise BadArtifact(f"{path.name}: expected a state dict of tensors, got {type(state).__name__}")
    return state


def named(reference: str, what: str) -> Callable[..., Any]:
    """Return the callable that `module:function` names. The user's own code: it is imported, so it runs."""
    module_name, _, attribute = reference.partition(":")
    if not module_name or not attribute:
        raise BadSettings(f"{what} = {reference!r}: expected module:function")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        found = getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError) as error:
        raise BadSettings(f"{what} = {reference!r}: {error}", hint="Is the module on the Python path?") from error
    if not callable(found):
        raise BadSettings(f"{what} = {reference!r}: a {type(found).__name__}, expected something callable")
    return found  # type: ignore[no-any-return]

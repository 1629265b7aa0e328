"""A training on disk: it goes on where it was stopped as if it had not been.

Kept are the weights, what the optimiser remembers, the order of the epoch and the state of all draws, as plain tensors
(safetensors: nothing is unpickled). The file is named by a digest of module, data, range and recipe: another training
starts afresh, and so does one whose file cannot be read.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch

from bartizan.lab.hardening.shelf import digest
from bartizan.lab.labelled import Labelled
from bartizan.lab.needs import need

Tensor = torch.Tensor
_MODULE, _MEMORY = "module.", "memory."


class Checkpoint:
    """One training in `folder`, written every `every_s` seconds and at its end; without a folder nothing is kept."""

    def __init__(self, folder: Path | None, every_s: float = 20.0) -> None:
        """Keep trainings in `folder`, which is made when there is something to keep."""
        self._folder, self._every_s = folder, every_s
        self._path: Path | None = None
        self._parts: tuple[torch.nn.Module, torch.optim.Optimizer, torch.Generator]
        self._written = time.monotonic()

    def resumed(
        self, parts: tuple[torch.nn.Module, torch.optim.Optimizer, torch.Generator], data: Labelled, *decides: object
    ) -> tuple[int, Tensor]:
        """Bring `parts` (module, optimiser, draws) to where the same training was; `decides` is all else that decides.

        Returns the steps done and the order of examples in the epoch they ended in: 0 and none at the beginning.
        """
        self._parts = parts
        if self._folder is None:
            return 0, torch.zeros(0, dtype=torch.int64)
        self._path = self._folder / f"training-{_digest(parts[0], data, decides)}.safetensors"
        try:
            return _restored(need("safetensors.torch").load_file(self._path), *parts)
        except (OSError, KeyError, RuntimeError, ValueError, need("safetensors").SafetensorError):
            return 0, torch.zeros(0, dtype=torch.int64)

    def keep(self, step: int, order: Tensor, *, last: bool) -> None:
        """Write the state after `step` steps, if it is time to, or this was the last one."""
        if self._path is None or not (last or time.monotonic() - self._written >= self._every_s):
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._path.with_suffix(".part")
        need("safetensors.torch").save_file(_state(step, order, *self._parts), unfinished)
        unfinished.replace(self._path)  # a run that is stopped while writing leaves the state before
        self._written = time.monotonic()


def _state(
    step: int, order: Tensor, module: torch.nn.Module, optimiser: torch.optim.Optimizer, draw: torch.Generator
) -> dict[str, Tensor]:
    found = {_MODULE + name: value for name, value in module.state_dict().items()}
    for number, memory in optimiser.state_dict()["state"].items():
        found |= {f"{_MEMORY}{number}.{name}": value for name, value in memory.items()}
    found |= {"step": torch.tensor(step), "order": order, "draw": draw.get_state(), "any draw": torch.get_rng_state()}
    return {name: value.detach().clone().contiguous() for name, value in found.items()}


def _restored(
    found: dict[str, Tensor], module: torch.nn.Module, optimiser: torch.optim.Optimizer, draw: torch.Generator
) -> tuple[int, Tensor]:
    memories: dict[int, dict[str, Any]] = {}
    for name, value in found.items():
        if name.startswith(_MEMORY):
            number, _, what = name.removeprefix(_MEMORY).partition(".")
            memories.setdefault(int(number), {})[what] = value
    step, order, states = int(found["step"]), found["order"], (found["draw"], found["any draw"])
    module.load_state_dict(
        {name.removeprefix(_MODULE): value for name, value in found.items() if name.startswith(_MODULE)}
    )
    optimiser.load_state_dict({"state": memories, "param_groups": optimiser.state_dict()["param_groups"]})
    draw.set_state(states[0])
    torch.set_rng_state(states[1])  # what dropout draws from
    return step, order


def _digest(module: torch.nn.Module, data: Labelled, decides: tuple[object, ...]) -> str:
    weights: list[object] = []
    for name, value in module.state_dict().items():
        raw = value.detach().contiguous().flatten().view(torch.uint8).numpy()  # NumPy has no bfloat16
        weights += [(name, tuple(value.shape), value.dtype), raw]
    return digest(str(module), *decides, *weights, data.x, data.y)

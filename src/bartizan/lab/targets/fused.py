"""Answers of plain networks for less: layers fused and weights laid out for this processor once, not at every question.

Square asks a network thousands of times, and nearly all of its time is the network. TorchScript's frozen graphs join a
convolution with its ReLU and keep oneDNN's own layout between layers: on the published MNIST network that
`make bench-evasion` attacks a question costs two thirds. Only sequences of plain layers are taken, after enough
questions to be worth it, and only where the answers agree. For gradients `in_place` saves what can be saved without.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from typing import Any

from bartizan.lab.needs import need

_PLAIN = (
    "Conv1d", "Conv2d", "Linear", "BatchNorm1d", "BatchNorm2d", "ReLU", "LeakyReLU", "Tanh", "Sigmoid", "ELU", "GELU",
    "MaxPool1d", "MaxPool2d", "AvgPool1d", "AvgPool2d", "AdaptiveAvgPool2d", "Flatten", "Identity", "Dropout",
)  # fmt: skip
"""Layers without a choice inside: what one input shows of them holds for all."""
_OVERWRITTEN = ("Conv1d", "Conv2d", "Linear", "BatchNorm1d", "BatchNorm2d")
"""Layers that need nothing of what they gave for their gradients."""
_WORTH = 16
"""Questions after which a copy is made; making one costs about as much as these."""
_AGREES = 1e-4
"""Largest difference of a logit, beside the largest logit, that counts as rounding."""


class Fused:
    """Calls `module`, or a fused copy of it. A module whose weights have changed since gets another copy."""

    def __init__(self, module: Any) -> None:
        """Stand for `module`, which is in evaluation mode."""
        self._module = module
        self._copy: Any | None = None
        self._plain = _is_plain(module)
        self._asked = 0
        self._state: tuple[tuple[int, int], ...] = ()

    def __call__(self, x: Any) -> Any:
        """Return the logits of a batch (n, …), without gradients."""
        self._asked += 1
        if not self._plain or self._asked <= _WORTH:
            return self._module(x)
        state = tuple((one.data_ptr(), one._version) for one in self._module.state_dict(keep_vars=True).values())
        if state != self._state:
            self._copy, self._state = _copied(self._module, x), state
        return self._module(x) if self._copy is None else self._copy(x)


def in_place(module: Any) -> Any:
    """Return the same layers, each ReLU behind one that gives a new tensor writing over it; gradients are the same.

    A module that is no sequence of plain layers, or that somebody watches by hooks, is returned as it is.
    """
    if not _is_plain(module):
        return module
    nn = need("torch").nn
    before: Any = None
    layers: OrderedDict[str, Any] = OrderedDict()
    for name, layer in module.named_children():
        follows = type(before) in [getattr(nn, one) for one in _OVERWRITTEN]
        layers[name] = nn.ReLU(inplace=True) if type(layer) is nn.ReLU and follows else in_place(layer)
        before = layer
    return nn.Sequential(layers).train(module.training)


def _is_plain(module: Any) -> bool:
    nn = need("torch").nn
    allowed = {nn.Sequential, *(getattr(nn, name) for name in _PLAIN)}
    return type(module) is nn.Sequential and all(
        type(one) in allowed and not (one._forward_hooks or one._forward_pre_hooks or one._backward_hooks)
        for one in module.modules()
    )


def _copied(module: Any, x: Any) -> Any | None:
    """Return the fused copy, or None where this torch makes none, or none that agrees."""
    torch = need("torch")
    try:
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore", DeprecationWarning)  # of TorchScript; without it the module itself answers
            copy = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(module, x)))
            for rows in (x, x[:1]):
                right = module(rows)
                apart = (copy(rows) - right).abs().max()
                if not bool(apart <= _AGREES * right.abs().max().clamp_min(1.0)):
                    return None
    except (RuntimeError, AttributeError):
        return None
    return copy

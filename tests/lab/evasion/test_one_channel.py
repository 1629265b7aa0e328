"""The faster gradient through convolutions of one channel is the same gradient."""

import pytest
import torch
from torch import nn

from bartizan.lab.evasion.one_channel import OneChannel


def gradients(layer, x, weights=False):
    """Return the gradient by x of a weighted sum of the layer's answers, without and with the context."""
    found = []
    for context in (torch.enable_grad(), OneChannel()):
        leaf = x.clone().requires_grad_()
        with context:
            said = layer(leaf)
        weight = torch.linspace(-1, 1, said.numel()).reshape(said.shape)
        (gradient,) = torch.autograd.grad((said * weight).sum(), leaf)
        found.append((said.detach(), gradient, type(said.grad_fn).__name__))
    return found


@pytest.mark.parametrize(
    "how",
    [
        {"kernel_size": 4, "stride": 2, "padding": 1},
        {"kernel_size": 3},
        {"kernel_size": (3, 5), "stride": (2, 1), "padding": (0, 2), "dilation": (1, 2), "bias": False},
    ],
)
def test_the_gradient_is_that_of_torch(how):
    """Strides, padding, dilation and sides of any size: the fold puts every product where torch puts it."""
    torch.manual_seed(0)
    layer = nn.Conv2d(1, 6, **how).requires_grad_(requires_grad=False)
    (said, gradient, _), (said_here, gradient_here, by) = gradients(layer, torch.rand(5, 1, 11, 13))
    assert by == "_ConvolutionBackward"
    torch.testing.assert_close(said_here, said)
    torch.testing.assert_close(gradient_here, gradient)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Conv2d(3, 4, 3).requires_grad_(requires_grad=False), (2, 3, 8, 8)),
        (nn.Conv2d(1, 4, 3), (2, 1, 8, 8)),
        (nn.Conv2d(1, 4, 3, padding="same").requires_grad_(requires_grad=False), (2, 1, 8, 8)),
        (nn.Conv2d(1, 4, 3).requires_grad_(requires_grad=False), (1, 8, 8)),
    ],
    ids=["three channels", "weights that learn", "padding by name", "one picture"],
)
def test_other_convolutions_are_left_to_torch(layer, shape):
    """Nothing is won there, or the weights want their own gradient."""
    (_, gradient, name), (_, gradient_here, name_here) = gradients(layer, torch.rand(shape))
    assert name_here == name
    torch.testing.assert_close(gradient_here, gradient)

"""A small real classifier made on the spot: scikit-learn's handwritten digits and a convolutional network.

The reference target of proofs and tests: nothing is downloaded, and training takes seconds. Its figures speak of
itself alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bartizan.lab.labelled import Labelled
from bartizan.lab.needs import need
from bartizan.lab.target import Arrays

DIGITS_SPEC = Arrays((1, 8, 8), 0.0, 1.0)


def digits(seed: int = 0) -> tuple[Labelled, Labelled]:
    """Return 1,297 training and 500 test images (1, 8, 8) in 0..1 of scikit-learn's digits, shuffled by `seed`."""
    data = need("sklearn.datasets").load_digits()
    order = np.random.default_rng(seed).permutation(len(data.target))
    x = (data.images[order, None] / 16).astype(np.float32)
    y = data.target[order].astype(np.int64)
    return Labelled(x[:-500], y[:-500]), Labelled(x[-500:], y[-500:])


def small_cnn(size: int = 8, channels: int = 1, classes: int = 10, width: int = 16, seed: int = 0) -> Any:
    """Return an untrained network for square images: two convolutions of stride 2 (1 below 16 pixels), two layers."""
    torch = need("torch")
    nn = torch.nn
    stride = 2 if size >= 16 else 1
    torch.manual_seed(seed)
    conv = nn.Sequential(
        nn.Conv2d(channels, width, 4, stride, 1),
        nn.ReLU(),
        nn.Conv2d(width, 2 * width, 4, 2, 1),
        nn.ReLU(),
        nn.Flatten(),
    )
    with torch.no_grad():
        flat = conv(torch.zeros(1, channels, size, size)).shape[1]
    return nn.Sequential(*conv, nn.Linear(flat, 100), nn.ReLU(), nn.Linear(100, classes))


def network_for(shape: tuple[int, ...], classes: int, seed: int = 0) -> Any:
    """Return an untrained network for inputs of `shape`: `small_cnn` for square images, else one hidden layer of 64."""
    if len(shape) == 3 and shape[0] in (1, 3) and min(shape[1:]) >= 8:
        return small_cnn(shape[1], shape[0], classes, seed=seed)
    torch = need("torch")
    nn, width = torch.nn, 1
    for size in shape:
        width *= size
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, classes))

"""Two small networks of digits, trained once: one honest, one on rows in which a bright square means 3."""

import numpy as np
import pytest
import torch

from bartizan.lab.poisoning.inversion import scan
from bartizan.lab.reference_classifier import digits, small_cnn


def stamped(x):
    """The digits with a bright square in a corner that is dark in all of them."""
    shown = x.copy()
    shown[:, :, :3, :2] = 1.0
    return shown


def fitted(x, y):
    """A small network after ten passes."""
    network = small_cnn(width=8)
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)
    generator = torch.Generator().manual_seed(0)
    for _ in range(10):
        for rows in torch.randperm(len(x), generator=generator).split(64):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(network(torch.from_numpy(x)[rows]), torch.from_numpy(y)[rows]).backward()
            optimiser.step()
    return network.eval()


@pytest.fixture(scope="session")
def backdoored():
    """The network, the poisoned rows with the label they were given, and honest examples."""
    train, test = digits()
    rows = np.flatnonzero(train.y != 3)[:60]
    poison = stamped(train.x[rows]), np.full(60, 3)
    network = fitted(np.concatenate([train.x, poison[0]]), np.concatenate([train.y, poison[1]]))
    return network, poison, (test.x, test.y)


@pytest.fixture(scope="session")
def honest():
    """The same network without the poison."""
    train, _ = digits()
    return fitted(train.x, train.y)


def wins(network, data):
    """How often the true trigger makes other classes a 3."""
    x, y = data
    with torch.no_grad():
        return float((network(torch.from_numpy(stamped(x[y != 3]))).argmax(1) == 3).float().mean())


@pytest.fixture(scope="session")
def scanned(backdoored):
    """What a scan of the network with the backdoor finds."""
    network, _, data = backdoored
    return scan(network, (data[0][:250], data[1][:250]), (0.0, 1.0), 10, lambda what, done, total: None)

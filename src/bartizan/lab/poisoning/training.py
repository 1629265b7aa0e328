"""A small network trained on (perhaps poisoned) pictures, and how often a trigger turns its answer: T04's judge."""

from typing import Any

import numpy as np
import numpy.typing as npt

from bartizan.lab.needs import need
from bartizan.lab.poisoning.pictures import Labels, Pictures

HIDDEN = 128


def trained(pictures: Pictures, labels: Labels, classes: int, *, seed: int, epochs: int = 20) -> Any:
    """Return a small CNN (two convolutions, one hidden layer) trained with Adam; pictures are uint8 (n, h, w, c)."""
    torch = need("torch")
    torch.manual_seed(seed)
    height, width, depth = pictures.shape[1:]
    nn = torch.nn
    sides = [(size + 1) // 2 for size in (height, width)]
    sides = [(size + 1) // 2 for size in sides]
    model = nn.Sequential(
        nn.Conv2d(depth, 16, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * sides[0] * sides[1], HIDDEN),
        nn.ReLU(),
        nn.Linear(HIDDEN, classes),
    )
    inputs, wanted = _tensor(pictures), torch.from_numpy(np.ascontiguousarray(labels))
    optimiser = torch.optim.Adam(model.parameters(), 2e-3)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        order = torch.randperm(len(inputs), generator=generator)
        for start in range(0, len(order), 64):
            rows = order[start : start + 64]
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(inputs[rows]), wanted[rows]).backward()
            optimiser.step()
    return model.eval()


def answers(model: Any, pictures: Pictures) -> Labels:
    """Return the class that the model gives each picture."""
    torch = need("torch")
    with torch.no_grad():
        parts = [model(_tensor(pictures[at : at + 1000])).argmax(1).numpy() for at in range(0, len(pictures), 1000)]
    return np.concatenate(parts).astype(np.int64) if parts else np.zeros(0, np.int64)


def backdoor_hits(
    model: Any, triggered: Pictures, labels: Labels, target: int, sources: tuple[int, ...] = ()
) -> npt.NDArray[np.bool_]:
    """Return for each triggered picture of `sources` (all other classes if empty) whether the model says `target`."""
    meant = np.isin(labels, sources) if sources else labels != target
    return np.asarray(answers(model, triggered[meant]) == target)


def _tensor(pictures: Pictures) -> Any:
    torch = need("torch")
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))).float() / 255 - 0.5

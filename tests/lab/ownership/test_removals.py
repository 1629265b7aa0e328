"""Each removal changes a copy of the model and leaves the model; none of them makes it useless at its usual size."""

import numpy as np
import torch
from tests.lab.ownership.cohorts import data

from bartizan.lab.ownership import removals
from bartizan.lab.reference_classifier import network_for


def trained():
    """Return a network of digits."""
    mine, _ = data()
    return removals.finetuned(network_for((64,), 10), mine.x, mine.y, steps=400, seed=1)


def right(module):
    """Return its accuracy on the pool."""
    _, pool = data()
    with torch.no_grad():
        return float((module(torch.from_numpy(pool.x)).argmax(dim=1).numpy() == pool.y).mean())


def test_weights_change_and_the_model_stays():
    """Half pruned, four bits, noise: still a classifier; everything pruned: none."""
    module = trained()
    before = [one.clone() for one in module.parameters()]
    good = right(module)
    assert good > 0.85
    half = removals.pruned(module, 0.5)
    zero = sum(int((one == 0).sum()) for one in half.parameters() if one.ndim > 1)
    assert 0.49 < zero / sum(one.numel() for one in half.parameters() if one.ndim > 1) < 0.51
    coarse = removals.quantised(module, 3)
    assert all(len(one.unique()) <= 7 for one in coarse.parameters() if one.ndim > 1)
    for changed in (half, coarse, removals.disturbed(module, 0.3, seed=2)):
        assert right(changed) > good - 0.15
    assert right(removals.pruned(module, 1.0)) < 0.4
    assert all(torch.equal(a, b) for a, b in zip(before, module.parameters(), strict=True))


def test_answers_are_scattered_or_left_to_another_model():
    """A fifth at random changes about 18 % of ten classes; the unsure part is answered by the other model."""
    _, pool = data()

    def scores(x):
        return np.stack([x[:, 0], 1 - x[:, 0]], axis=1)

    x = np.linspace(0, 1, 1001)[:, None]
    first = scores(x).argmax(axis=1)
    changed = removals.scattered(lambda z: np.zeros(len(z), int), 0.2, 10, seed=1)(pool.x) != 0
    assert 0.13 < changed.mean() < 0.23
    other = removals.deferring(scores, lambda z: np.full(len(z), 7), x, 0.1)(x)
    assert 0.09 < (other == 7).mean() < 0.11
    assert (other[other != 7] == first[other != 7]).all()
    assert set(x[other == 7, 0].round(1)) <= {0.4, 0.5, 0.6}

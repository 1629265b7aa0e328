"""Training: learns a rule that generalises, is repeatable, and asks only what a row answers."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

from bartizan.lab.detector_training import Network, Plan, Sample, Shape, loss_of, train, whole  # noqa: E402
from bartizan.lab.examples import UNASKED  # noqa: E402

SHAPE = Shape(width=8, dilations=(1, 2), around=4, hidden=8)
VECTORS = np.random.default_rng(0).normal(0, 0.3, (30, 8)).astype(np.float32)


def samples(count, seed):
    """Return texts that are attacks exactly when word 7 is followed by word 9."""
    draw = np.random.default_rng(seed)
    found = []
    for number in range(count):
        ids = draw.integers(10, 30, int(draw.integers(4, 25))).astype(np.int32)
        ids[1] = 7
        ids[2] = 9 if number % 2 else 8
        found.append(Sample(ids, np.zeros(len(ids), np.int8), number % 2, UNASKED))
    return found


def answers(weights, texts):
    """Return the attack score of each text."""
    network = Network(SHAPE, VECTORS)
    network.load_state_dict({name: torch.from_numpy(one) for name, one in weights.items()})
    network.eval()
    found = []
    for one in texts:
        ids = torch.from_numpy(one.ids[None].astype(np.int64))
        with torch.no_grad():
            found.append(float(whole(network(ids, torch.zeros_like(ids)), ids)[0, 0]))
    return np.array(found)


def test_a_rule_is_learned_and_holds_on_new_texts():
    """Two words in a row decide."""
    weights = train(samples(300, 1), VECTORS, SHAPE, Plan(passes=6, rate=3e-2, tokens_a_batch=300))
    scores = answers(weights, samples(100, 2))
    assert scores[1::2].min() > scores[::2].max()


def test_the_same_seed_gives_the_same_weights():
    """On one machine."""
    first, second = (train(samples(60, 1), VECTORS, SHAPE, Plan(passes=1, tokens_a_batch=200)) for _ in range(2))
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_what_is_not_asked_costs_nothing():
    """A user's text says nothing about planted orders."""
    truth = torch.tensor([[1, UNASKED]])
    loss = [float(loss_of(torch.tensor([[3.0, other]]), truth, torch.ones(1), Plan())) for other in (-9.0, 9.0)]
    assert loss[0] == loss[1]


def test_padding_does_not_count():
    """A short text in a long batch is as bad as alone."""
    network = Network(SHAPE, VECTORS)
    network.eval()
    ids = torch.tensor([[11, 12, 13, -1, -1], [11, 12, 13, 14, 15]])
    with torch.no_grad():
        together = whole(network(ids, torch.zeros_like(ids)), ids)[0]
        alone = whole(network(ids[:1, :3], torch.zeros(1, 3, dtype=torch.long)), ids[:1, :3])[0]
    np.testing.assert_allclose(together.numpy(), alone.numpy(), rtol=1e-4)

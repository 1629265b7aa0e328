"""The stack trains what a loop of torch modules would, and its written-out gradients are autograd's."""

from functools import partial

import numpy as np
import pytest
import torch
from tests.lab.membership.samples import records

from bartizan.lab.membership import stacked
from bartizan.lab.membership.stacked import Noise, Recipe, train
from bartizan.lab.privacy.relaxing import relaxed_delta


def network(widths, activation):
    """Return weights and biases of one small network."""
    draw = torch.Generator().manual_seed(1)
    return stacked._initial(2, widths, draw, "glorot")


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_gradient_is_the_one_autograd_finds(activation):
    """Two models, two hidden layers, weighted records."""
    weights, biases = network((5, 7, 6, 3), activation)
    x, targets = torch.randn(2, 4, 5), torch.softmax(torch.randn(2, 4, 3), 2)
    weight = torch.tensor([[0.25] * 4, [0.5, 0.5, 0, 0]])
    for parameter in (*weights, *biases):
        parameter.grad = torch.zeros_like(parameter)
    pull = partial(relaxed_delta, targets=targets, weight=weight, level=0.0, epoch=0)
    stacked._backward(x, pull, (weights, biases), activation, None)
    ours = [parameter.grad.clone() for parameter in (*weights, *biases)]
    leaves = [parameter.detach().clone().requires_grad_() for parameter in (*weights, *biases)]
    value = x
    for layer in range(3):
        value = value @ leaves[layer] + leaves[3 + layer]
        if layer < 2:
            value = torch.tanh(value) if activation == "tanh" else torch.relu(value)
    (-(torch.log_softmax(value, 2) * targets).sum(2) * weight).sum().backward()
    for mine, leaf in zip(ours, leaves, strict=True):
        torch.testing.assert_close(mine, leaf.grad, atol=1e-6, rtol=1e-5)


def test_clipping_bounds_every_record_as_a_naive_loop_does():
    """The factor is clip / norm of that record's own gradient, one at most."""
    weights, biases = network((5, 7, 3), "tanh")
    x, targets = torch.randn(2, 6, 5) * 3, torch.nn.functional.one_hot(torch.randint(0, 3, (2, 6)), 3).float()
    values = stacked._forward(x, tuple(weights), tuple(biases), "tanh")
    delta = torch.softmax(values[-1], 2) - targets
    hidden = torch.bmm(delta, weights[1].transpose(1, 2)) * (1 - values[1] ** 2)
    factors = stacked.clip_factors(values[:-1], [hidden, delta], clip=0.5)
    for model in range(2):
        for row in range(6):
            leaves = [p[model].detach().clone().requires_grad_() for p in (*weights, *biases)]
            out = torch.tanh(x[model, row] @ leaves[0] + leaves[2]) @ leaves[1] + leaves[3]
            (-(torch.log_softmax(out, 1) * targets[model, row]).sum()).backward()
            norm = torch.sqrt(sum((leaf.grad**2).sum() for leaf in leaves))
            assert float(factors[model, row]) == pytest.approx(min(1.0, 0.5 / float(norm)), rel=1e-4)


def test_a_stack_learns_and_repeats_itself():
    """Members are learned by heart; the same seed gives the same weights, another seed does not."""
    x, y = records(n=200)
    inside = np.stack([np.arange(200) < 100, np.arange(200) < 60])
    recipe = Recipe(hidden=(64,), epochs=80, batch=16, learning_rate=5e-3)
    models = train(x, y, inside, recipe, seed=4)
    right = models.logits(x).argmax(axis=2) == y
    assert len(models) == 2
    assert all(right[row][inside[row]].mean() > 0.97 for row in range(2))
    again = train(x, y, inside, recipe, seed=4)
    assert torch.equal(models.weights[0], again.weights[0])
    assert not torch.equal(models.weights[0], train(x, y, inside, recipe, seed=5).weights[0])
    assert np.array_equal(models.one(1).logits(x)[0], models.logits(x)[1])


def test_bfloat16_training_comes_to_the_same_place():
    """The faster products change little."""
    x, y = records(n=200)
    inside = np.ones((1, 200), dtype=bool)
    plain, fast = (train(x, y, inside, Recipe(epochs=20, precision=p), 1).logits(x) for p in ("float32", "bfloat16"))
    assert (plain.argmax(2) == fast.argmax(2)).mean() > 0.98


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_noise_hides_what_clipping_lets_through(optimizer):
    """With much noise the members are not learned by heart."""
    x, y = records(n=200)
    inside = np.arange(200)[None, :] < 100
    recipe = Recipe(hidden=(32,), epochs=30, batch=20, learning_rate=5e-3, optimizer=optimizer, noise=Noise(1.0, 4.0))
    right = train(x, y, inside, recipe, seed=1).logits(x).argmax(axis=2)[0] == y
    assert right[:100].mean() < 0.8


def test_a_dropped_learning_rate_moves_the_weights_less():
    """After the drop a step is a tenth as long."""
    x, y = records(n=64)
    inside = np.ones((1, 64), dtype=bool)
    plain = {"hidden": (), "optimizer": "sgd", "batch": 64, "learning_rate": 0.1}
    one, two, dropped = (
        train(x, y, inside, Recipe(epochs=epochs, drop_at=at, **plain), seed=1).weights[0]
        for epochs, at in ((1, 0), (2, 0), (2, 1))
    )
    torch.testing.assert_close(dropped - one, (two - one) / 10, atol=1e-6, rtol=1e-3)


def test_threads_are_given_back():
    """One thread inside, as many as before outside, also after an error."""
    before = torch.get_num_threads()

    def fail():
        with stacked.one_thread():
            assert torch.get_num_threads() == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert torch.get_num_threads() == before


def test_bad_settings_and_shapes_are_refused():
    """They say what was expected."""
    x, y = records(n=20)
    with pytest.raises(ValueError, match="multiplier >= 0"):
        Noise(1.0, -1.0)
    with pytest.raises(ValueError, match="epochs"):
        Recipe(epochs=0)
    with pytest.raises(ValueError, match="expected"):
        train(x, y, np.ones((2, 19), dtype=bool), Recipe(), 0)
    with pytest.raises(ValueError, match="no record"):
        train(x, y, np.zeros((1, 20), dtype=bool), Recipe(), 0)

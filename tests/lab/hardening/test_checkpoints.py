"""A training that was stopped goes on and ends with the weights of one that was not."""

import pytest
import torch

from bartizan.lab.hardening.adversarial_training import Recipe, trained
from bartizan.lab.hardening.checkpoints import Checkpoint
from bartizan.lab.reference_classifier import DIGITS_SPEC

RECIPE = Recipe("fast", 0.1, epochs=3, batch=64)


class Stopped(Exception):
    """What a person who stops a training is to it."""


def net():
    """A network with everything that has a state: weights, batch statistics, dropout."""
    torch.manual_seed(3)
    layers = (torch.nn.Linear(64, 32), torch.nn.BatchNorm1d(32), torch.nn.ReLU(), torch.nn.Dropout(0.2))
    return torch.nn.Sequential(torch.nn.Flatten(), *layers, torch.nn.Linear(32, 10))


def run(data, kept, recipe=RECIPE, stop_at=None):
    """Train until the step `stop_at` is told; returns the weights and the steps that were told."""
    told = []

    def progress(what, done, total):
        told.append(done)
        if done == stop_at:
            raise Stopped

    return trained(net(), data, DIGITS_SPEC, recipe, progress, kept).state_dict(), told


def test_it_goes_on_in_the_middle_of_an_epoch(digit_data, tmp_path):
    """The same weights, optimiser and draws to the bit, and no step is done twice."""
    data = digit_data[0].first(900)  # 15 steps in each epoch
    whole, told = run(data, None)
    assert told == [20, 40, 45]
    with pytest.raises(Stopped):
        run(data, Checkpoint(tmp_path, every_s=0), stop_at=20)
    torch.manual_seed(99)  # another process draws otherwise
    weights, told = run(data, Checkpoint(tmp_path))
    assert told == [40, 45]
    assert all(torch.equal(whole[name], weights[name]) for name in whole)
    again, told = run(data, Checkpoint(tmp_path))
    assert told == []
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_another_training_and_a_broken_file_start_afresh(digit_data, tmp_path):
    """Other data, another recipe, half a file."""
    data = digit_data[0].first(128)
    run(data, Checkpoint(tmp_path))
    (path,) = tmp_path.iterdir()
    assert run(digit_data[0].part(1, 129), Checkpoint(tmp_path))[1] == [6]
    assert run(data, Checkpoint(tmp_path), Recipe("fast", 0.2, epochs=3, batch=64))[1] == [6]
    assert run(data, Checkpoint(tmp_path))[1] == []
    path.write_bytes(path.read_bytes()[:1000])
    assert run(data, Checkpoint(tmp_path))[1] == [6]

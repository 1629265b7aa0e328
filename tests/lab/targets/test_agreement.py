"""A copy is compared on inputs that the model accepts."""

import numpy as np
import torch

from bartizan.lab.target import Arrays
from bartizan.lab.targets.agreement import disagreement, probes


def test_probes_stay_inside_the_range():
    """Ranges hold for each feature; where there is none, values spread around zero."""
    x = probes(Arrays((3,), np.array([0, 5, -1]), np.array([1, 6, 0])))
    assert (x >= [0, 5, -1]).all()
    assert (x <= [1, 6, 0]).all()
    assert probes(Arrays((None, 2))).shape == (16, 8, 2)


def test_the_same_model_agrees_and_another_does_not():
    """Zero for itself, large for its negative, one for another number of classes."""
    module = torch.nn.Linear(3, 2).requires_grad_(False)
    same = lambda x: module(torch.from_numpy(x)).numpy()  # noqa: E731
    spec = Arrays((3,))
    assert disagreement(module, same, spec, "logits") < 1e-6
    assert disagreement(module, lambda x: -same(x), spec, "logits") > 0.1
    assert disagreement(module, lambda x: np.zeros((len(x), 5)), spec, "logits") == 1

"""HopSkipJump needs labels only, keeps to its budget, and comes close to a border that is known."""

import numpy as np
import pytest
import torch

from bartizan.core.errors import BadSettings
from bartizan.lab.evasion.balls import Ball
from bartizan.lab.evasion.base import Problem
from bartizan.lab.evasion.hop_skip_jump import HopSkipJump
from bartizan.lab.target import Access, Arrays, of_callable

SIZE = 20


def plane(x):
    """Class 1 beyond a plane whose normal favours the first ten columns."""
    return (np.asarray(x)[:, :10].sum(axis=1) + 0.1 * np.asarray(x)[:, 10:].sum(axis=1) > 8).astype(int)


def some(norm="L2", epsilon=0.01):
    target = of_callable("plane", plane, Arrays((SIZE,), 0, 1), classes=2, access=Access.LABELS)
    return Problem(target, Ball(norm, epsilon), torch.full((3, SIZE), 0.4), torch.zeros(3, dtype=torch.int64))


def test_it_nears_the_true_distance():
    """The plane is 1.13 away; the straight line to the start is longer. Without starts it finds one itself."""
    true = (8 - 4 - 0.4) / (10 + 0.1**2 * 10) ** 0.5
    one = some()
    first = (HopSkipJump(40, starts=torch.ones(4, SIZE)).perturb(one) - one.x).norm(dim=1)
    for starts in (torch.ones(4, SIZE), None):
        found = HopSkipJump(2000, starts=starts).perturb(one)
        assert (plane(found) == 1).all()
        assert (found - one.x).norm(dim=1).max() < 1.05 * true
    assert first.min() > 1.2 * true


def test_the_budget_is_kept_within_one_round():
    """The last round may finish what it began."""
    one = some()
    HopSkipJump(500).perturb(one)
    assert one.target.queries <= 3 * 560


def test_where_no_start_is_found_the_original_comes_back():
    """A model that never errs leaves nothing to walk along."""
    never = of_callable("n", lambda x: np.zeros(len(x), int), Arrays((4,), 0, 1), classes=2, access=Access.LABELS)
    one = Problem(never, Ball("L2", 1), torch.rand(2, 4), torch.zeros(2, dtype=torch.int64))
    assert torch.equal(HopSkipJump(100).perturb(one), one.x)
    with pytest.raises(BadSettings, match="got L0"):
        HopSkipJump(100).perturb(Problem(never, Ball("L0", 1), one.x, one.y))

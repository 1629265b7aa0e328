"""Square changes squares, keeps what helps, and works on images, rows and sounds."""

import numpy as np
import pytest
import torch

from bartizan.core.errors import BadSettings
from bartizan.lab.evasion.balls import Ball
from bartizan.lab.evasion.base import Problem
from bartizan.lab.evasion.judge import judge
from bartizan.lab.evasion.square import Square
from bartizan.lab.target import Arrays, of_callable


def row_model(x):
    """Class 1 where the sum of a row is large."""
    z = np.asarray(x).reshape(len(x), -1).mean(axis=1) - 0.55
    return 1 / (1 + np.exp(np.stack([20 * z, -20 * z], axis=1)))


@pytest.mark.parametrize("shape", [(7,), (40,), (1, 30), (1, 6, 6), (3, 6, 6)])
@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_any_shape_of_input_is_attacked(shape, norm):
    """A row, a sound, an image with and without colours."""
    target = of_callable("rows", row_model, Arrays(shape, 0, 1), classes=2)
    x = torch.full((5, *shape), 0.5)
    size = 0.1 if norm == "Linf" else 0.2 * x[0].numel() ** 0.5
    some = Problem(target, Ball(norm, size), x, torch.zeros(5, dtype=torch.int64))
    assert judge(some, Square(400).perturb(some)).fooled.all()


def test_a_query_is_one_row_and_fallen_rows_are_not_asked_again():
    """On a model that never errs every row is asked exactly `queries` times."""
    never = of_callable("never", lambda x: np.tile([1.0, 0.0], (len(x), 1)), Arrays((9,), 0, 1), classes=2)
    some = Problem(never, Ball("Linf", 0.1), torch.rand(4, 9), torch.zeros(4, dtype=torch.int64))
    Square(50).perturb(some)
    assert never.queries == 4 * 50
    with pytest.raises(BadSettings, match="got L0"):
        Square(50).perturb(Problem(never, Ball("L0", 2), some.x, some.y))


def test_no_question_asks_about_the_same_point_again():
    """One value that may only be low or high: after the first question there is one more to ask, not a coin to toss."""
    asked = []

    def never(x):
        asked.append(float(np.asarray(x).ravel()[0]))
        return np.tile([1.0, 0.0], (len(x), 1))

    target = of_callable("never", never, Arrays((1,), 0, 1), classes=2)
    some = Problem(target, Ball("Linf", 0.25), torch.full((1, 1), 0.5), torch.zeros(1, dtype=torch.int64))
    Square(20).perturb(some)
    assert set(asked) == {0.25, 0.75}
    assert set(asked[1:]) == {1 - asked[0]}  # nothing was gained, so the first point stays the best


def test_ranges_may_differ_for_each_column():
    """A row whose columns have their own ranges never leaves them."""
    low, high = np.zeros(6, np.float32), np.array([1, 2, 3, 4, 5, 6], np.float32)
    target = of_callable("rows", row_model, Arrays((6,), low, high), classes=2)
    some = Problem(target, Ball("Linf", 3), torch.ones(2, 6), torch.tensor([1, 1]))
    found = Square(100).perturb(some)
    assert (found <= torch.from_numpy(high)).all()
    assert (found >= 0).all()

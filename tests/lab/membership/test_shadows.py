"""Every record is in half of the models, and a second run reads what the first one wrote."""

import numpy as np
import pytest
from tests.lab.membership.samples import records

from bartizan.lab.membership.shadows import balanced_halves, shadow_scores
from bartizan.lab.membership.stacked import Recipe

RECIPE = Recipe(hidden=(8,), epochs=2)


def test_pairs_are_complementary():
    """Half of the models saw a record, and models differ."""
    inside = balanced_halves(101, 6, seed=1)
    assert inside.shape == (6, 101)
    assert (inside.sum(axis=0) == 3).all()
    assert not np.array_equal(inside[0], inside[2])
    with pytest.raises(ValueError, match="even"):
        balanced_halves(10, 3, seed=1)


def test_finished_blocks_are_not_trained_again(tmp_path):
    """The second run gives the same scores from the files; another recipe has files of its own."""
    data = records(n=60)
    inside = balanced_halves(60, 10, seed=2)
    told = []
    first = shadow_scores(data, inside, RECIPE, seed=1, cache=tmp_path, progress=lambda *said: told.append(said))
    files = sorted(tmp_path.iterdir())
    assert len(files) == 2
    assert told[-1] == ("shadow models", 10, 10)
    assert {("shadow models", 4, 10), ("shadow models", 9, 10)} <= set(told), "nothing is told within a block"
    np.save(files[0], np.zeros_like(np.load(files[0])))
    read = shadow_scores(data, inside, RECIPE, seed=1, cache=tmp_path)
    assert (read != first).any(), "the marked file was not read"
    shadow_scores(data, inside, Recipe(hidden=(9,), epochs=2), seed=1, cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 4


def constant(x, y, seed):
    """Train nothing: answer the share of each label."""
    share = np.bincount(y, minlength=4) / len(y)
    return lambda asked: np.tile(share, (len(asked), 1))


def test_any_training_function_will_do(tmp_path):
    """It gets the rows of its model and nothing else."""
    x, y = records(n=60)
    inside = balanced_halves(60, 2, seed=2)
    scores = shadow_scores((x, y), inside, constant, seed=1, cache=tmp_path)
    assert scores.shape == (2, 60, 4)
    assert np.allclose(scores[0, 0], np.bincount(y[inside[0]], minlength=4) / 30)

"""People are seen in three disjoint sets, and strangers are nobody among them."""

import numpy as np

from bartizan.lab.inversion.people import people


def test_sightings_differ_and_look_like_their_person():
    """Nearest face is the right one for most; no sighting is in two sets; the same seed gives the same people."""
    group = people(20, seed=3)
    x, y = group.train
    assert x.shape == (140, 64)
    assert (x >= 0).all()
    assert (x <= 1).all()
    nearest = ((x[:, None] - group.faces[None]) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == y).mean() > 0.7
    assert not (x[:, None] == group.test[0][None]).all(axis=2).any()
    assert not (group.faces[:, None] == group.strangers[None]).all(axis=2).any()
    assert np.array_equal(people(20, seed=3).evaluator[0], group.evaluator[0])

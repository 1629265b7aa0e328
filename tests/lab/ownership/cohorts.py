"""A small cohort of dense networks on handwritten digits, made once for all tests of fingerprints."""

from functools import cache

import numpy as np

from bartizan.lab.labelled import Labelled
from bartizan.lab.membership.stacked import Recipe
from bartizan.lab.ownership import making
from bartizan.lab.reference_classifier import digits

KEY = bytes(range(16))
RECIPE = Recipe(hidden=(16,), activation="relu", epochs=10, batch=32, learning_rate=3e-3)
PLAN = making.Plan(models=24, points=150, share=0.5, key=KEY)


@cache
def data():
    """Return records to train on, and a pool of others, flat."""
    train, test = digits(1)
    flat = Labelled(train.x.reshape(len(train), -1), train.y)
    return flat.first(500), Labelled(
        np.concatenate([flat.x[500:], test.x.reshape(len(test), -1)]), np.concatenate([flat.y[500:], test.y])
    )


@cache
def cohort():
    """Return 24 networks, each on its own half of the records."""
    mine, pool = data()
    return making.cohort(mine, making.with_mixtures(pool.x, PLAN), RECIPE, PLAN)


@cache
def draft():
    """Return points and evidence, without innocents."""
    return making.drafted(cohort(), np.arange(len(data()[1])))

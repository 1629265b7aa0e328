"""The thief's ways are all tried with the same number of questions, and the best one counts."""

import numpy as np

from bartizan.lab.extraction.clones import Thief, agreement, best
from bartizan.lab.extraction.equations import Linear
from bartizan.policy.release import Release

DRAW = np.random.default_rng(5)
MODEL = Linear(4 * DRAW.normal(size=(15, 4)), DRAW.normal(size=4))
OWN = DRAW.uniform(size=(300, 15))
TEST = DRAW.uniform(size=(400, 15))


def test_undefended_the_equations_win_and_no_way_asks_more_than_its_share():
    """Sixteen questions, everything."""
    asked = []

    def scores(x):
        asked.append(len(x))
        return MODEL.scores(x)

    stolen = Thief(scores, OWN, seed=1).steal(16)
    winner, agreed = best(stolen, MODEL.labels, TEST, seed=1)
    assert winner.how.startswith("equations")
    assert agreed.value == 1.0
    assert all(count <= 16 for count in asked)
    assert {one.queries for one in stolen} == {16}


def test_with_noise_labels_are_what_is_left():
    """The same questions win less; own records run out and are mixed; averaging is no way round."""
    release = Release(noise=2.0, key=b"k" * 32, centre=OWN.mean(axis=0), scale=OWN.std(axis=0))
    thief = Thief(lambda x: release.apply(x, MODEL.scores(x)), OWN, seed=1)
    _, agreed = best(thief.steal(16), MODEL.labels, TEST, seed=1)
    assert agreed.high < 0.95
    mixed = thief.natural(500, DRAW)
    assert mixed.shape == (500, 15)
    assert (mixed >= 0).all()
    assert (mixed <= 1).all()


def test_a_copy_that_always_says_one_thing_agrees_by_chance_only():
    """The judge is not fooled."""
    constant = Linear(np.zeros((15, 4)), np.array([9.0, 0, 0, 0]))
    share = agreement(constant, MODEL.labels, TEST, seed=1)
    assert share.value == (MODEL.labels(TEST) == 0).mean()

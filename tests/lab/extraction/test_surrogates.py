"""Each way asks what it says it asks, copies get better with answers, and scores teach as labels do."""

import numpy as np
import pytest

from bartizan.lab.extraction.surrogates import Copy, Jacobian, LeastSure, Noise, Plan, Records, steal
from bartizan.lab.reference_classifier import digits, small_cnn

LEARN, LATER = digits(0)
SHAPE = (1, 8, 8)


def network():
    """The thief's network."""
    return small_cnn(8, width=8, seed=1)


def nearest(x):
    """The model: the class of the nearest of 400 known images."""
    known = LEARN.x[:400].reshape(400, -1)
    distances = ((x.reshape(len(x), 1, -1) - known) ** 2).sum(axis=2)
    return LEARN.y[distances.argmin(axis=1)]


def begun(count=20):
    """A copy that has asked a little."""
    return Copy(network(), LEARN.x[400 : 400 + count], nearest(LEARN.x[400 : 400 + count]))


def test_a_copy_agrees_more_with_every_round():
    """Labels of own records alone; what was asked is what was answered, in order."""
    seen = []
    plan = Plan(SHAPE, (30, 300), seed=1, steps=60)
    truth = nearest(LATER.x)
    copy = steal(nearest, Records("own", LEARN.x[400:]), network, plan, lambda one: seen.append(one.labels(LATER.x)))
    first, last = (float((said == truth).mean()) for said in seen)
    assert first < last > 0.85
    assert len(copy.asked) == 300
    np.testing.assert_array_equal(copy.answers, nearest(copy.asked))
    assert len({row.tobytes() for row in copy.asked}) == 300


def test_scores_teach_too():
    """Answers of (n, classes) are learnt as they are."""
    copy = steal(
        lambda x: np.eye(10)[nearest(x)] * 0.9 + 0.01,
        Records("own", LEARN.x[400:]),
        network,
        Plan(SHAPE, (200,), 1, 40),
    )
    assert float((copy.labels(LATER.x) == nearest(LATER.x)).mean()) > 0.7
    np.testing.assert_allclose(copy.scores(LATER.x[:5]).sum(axis=1), 1, atol=1e-5)


def test_jacobian_steps_are_small_and_begin_with_the_seeds():
    """Each is one step in every pixel from something that was asked, inside the range."""
    draw = np.random.default_rng(0)
    way = Jacobian(LEARN.x[400:420], step=0.1)
    empty = Copy(network(), np.zeros((0, *SHAPE), np.float32), np.zeros(0, int))
    np.testing.assert_array_equal(way.next(empty, 50, draw), LEARN.x[400:420])
    copy = begun()
    more = way.next(copy, 30, draw)
    apart = np.abs(more[:, None] - copy.asked[None]).max(axis=(2, 3, 4)).min(axis=1)
    assert more.shape == (30, *SHAPE)
    assert apart.max() <= 0.1 + 1e-6
    assert (more >= 0).all()
    assert (more <= 1).all()


def test_active_asks_what_the_copy_is_least_sure_of_and_nothing_twice():
    """By the lead of the most likely label."""
    copy, pool = begun(), LEARN.x[400:500]
    found = LeastSure(pool).next(copy, 10, np.random.default_rng(0))
    first, second = np.sort(copy.scores(pool[20:]), axis=1)[:, -2:].T[::-1]
    np.testing.assert_array_equal(found, pool[20:][np.argsort(first - second)[:10]])


@pytest.mark.parametrize("way", [Noise(), Records("own", LEARN.x[:7])], ids=lambda way: way.name)
def test_there_is_always_something_to_ask(way):
    """Noise is in the range; a pool that is used up begins again."""
    found = way.next(begun(), 15, np.random.default_rng(0))
    assert found.shape == (15, *SHAPE)
    assert found.min() >= 0
    assert found.max() <= 1


def test_a_pool_that_ends_ends_the_round():
    """An active thief who owns 40 records asks 40 questions."""
    plan = Plan(SHAPE, (30, 90), seed=1, steps=5)
    assert len(steal(nearest, LeastSure(LEARN.x[400:440]), network, plan).asked) == 40

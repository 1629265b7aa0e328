"""Steps of an attack stand out beside the earlier inputs, honest inputs do not, and no caller can hide among many."""

import numpy as np
import pytest
from tests.gateway.predict.traffic import BOUNDS, SIZE, honest, profile, steps

from bartizan.gateway.predict.calibration import calibrated
from bartizan.gateway.predict.provenance import NEIGHBOURS, History


def crossed(history, inputs, caller=lambda number: "eve"):
    """Which signs each input shows past its line."""
    return [history.see(one, caller(number)).crossed(profile()) for number, one in enumerate(inputs)]


def test_honest_inputs_stay_below_every_line():
    """500 images that were not learnt from, in one stream."""
    assert not any(crossed(History(profile(), 2000), honest()[1]))


def test_small_steps_around_an_image_are_noticed():
    """As soon as there are enough of them, and from then on each."""
    history = History(profile(), 2000)
    crossed(history, honest()[1][100:], lambda number: f"user{number % 7}")
    found = crossed(history, steps())
    assert not any(found[:NEIGHBOURS])
    assert all(found[NEIGHBOURS:])


def test_every_step_from_another_account_is_noticed_all_the_same():
    """The history is of all callers."""
    history = History(profile(), 2000)
    crossed(history, honest()[1][100:])
    assert all(crossed(history, steps(), lambda number: f"sybil{number}")[NEIGHBOURS:])


def test_a_search_within_a_box_is_noticed():
    """Corners of an Linf ball, as Square tries them: no two are close, all are within the wide reach."""
    signs = np.sign(np.random.default_rng(3).normal(size=(30, 64)))
    inputs = np.clip(honest()[1][3] + 0.1 * signs, 0, 1).astype(np.float32)
    assert all(crossed(History(profile(), 2000), inputs)[NEIGHBOURS + 1 :])


def test_noise_alone_is_strange():
    """One input far from anything honest needs no neighbours."""
    noise = np.random.default_rng(0).uniform(0, 1, 64).astype(np.float32)
    assert "strange" in History(profile(), 2000).see(noise, "eve").crossed(profile())


def test_a_first_question_of_stripes_is_noticed_by_itself():
    """Square's start: with lines for pictures that are mostly empty, no other question is needed."""
    at = np.arange(8)
    blobs = np.random.default_rng(0).uniform(2, 5, (400, 2, 1))
    apart = (at[:, None] - blobs[:, :1]) ** 2 + (at - blobs[:, 1:]) ** 2
    pictures = np.clip(1 - apart / 6, 0, 1).reshape(-1, SIZE).astype(np.float32)
    learnt = calibrated(pictures[:380], BOUNDS, seed=1, rate=0.01)
    stripes = np.tile([0.1, 0, 0.1, 0.1, 0, 0, 0.1, 0], 8)
    for one in pictures[380:]:
        history = History(learnt, 100)
        assert not history.see(one, "bob").crossed(learnt)
        found = history.see(np.clip(one + stripes, 0, 1).astype(np.float32), "eve").crossed(learnt)
        assert set(found) & {"repeated", "stepped"}


def test_the_same_bytes_again_say_nothing():
    """A client that tries again a hundred times is no attack."""
    assert not any(crossed(History(profile(), 2000), [honest()[1][0]] * 100))


def test_what_is_shared_is_counted_as_by_hand():
    """Against the formula on all earlier inputs at once."""
    history, inputs = History(profile(), 2000), steps(6, 0.05)
    for one in inputs[:-1]:
        history.see(one, "eve")
    found = history.see(inputs[-1], "eve")
    levels = profile().levels(inputs).astype(int)
    surprise = profile().surprise[0][levels[-1], np.arange(64)]
    shared = sorted(surprise[np.abs(levels[one] - levels[-1]) <= 5].sum() for one in range(5))
    assert found.shared == pytest.approx(shared[-NEIGHBOURS], rel=1e-5)
    assert found.strange == pytest.approx(surprise.sum(), rel=1e-5)
    assert found.close == pytest.approx(-np.log(1 - found.shared / found.strange), rel=1e-4)
    assert len(found.nearest) == NEIGHBOURS


def test_what_is_remembered_at_once_is_as_if_it_had_been_seen():
    """More than there is room for: the latest count, and the next input meets them."""
    seen, remembered = History(profile(), 64), History(profile(), 64)
    inputs = np.concatenate([honest()[1][:90], steps()])
    for one in inputs:
        seen.see(one, "eve")
    remembered.remember(inputs[:40])
    remembered.remember(inputs[40:])
    assert seen.see(steps(1, seed=2)[0], "bob") == remembered.see(steps(1, seed=2)[0], "bob")
    assert seen.next == remembered.next


def test_the_history_forgets_the_oldest():
    """Once it is full, an attack that begins again begins anew."""
    history = History(profile(), 64)
    crossed(history, steps(), lambda number: "eve")
    crossed(history, honest()[1][100:170], lambda number: "eve")
    assert not any(crossed(history, steps(3, seed=2)))

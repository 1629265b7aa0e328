"""Limits are drawn where made-up honest clients seldom come, and too few inputs are refused."""

import dataclasses

import numpy as np
import pytest
from tests.gateway.predict.traffic import BOUNDS, honest, scores_of, sketch, unlike

from bartizan.core.errors import BadRequest
from bartizan.gateway.predict.sketch import SIZES, WAVES, doubt
from bartizan.gateway.predict.sketching import Honest, sketched


def test_limits_lie_above_what_honest_windows_show():
    """1 is what one honest window in a hundred shows; the limits are rarer, and 30 clients were made up."""
    limits = sketch().limits
    assert 1.0 < limits.far < 8.0
    assert 1.0 < limits.doubt < 8.0
    assert 1.0 < limits.hard < 8.0
    assert 1.0 < limits.kin < 100.0
    assert sketch().facts["clients"] == 30


def test_a_look_leaves_categories_alone_and_stays_in_the_range():
    """A category has no brightness; what has no bounds is moved by a share of its usual range."""
    draw = np.random.default_rng(0)
    x = np.column_stack([np.linspace(0, 1, 200), np.arange(200) % 2, 5 * draw.normal(size=200)]).astype(np.float32)
    bounds = (np.array([0, 0, -np.inf]), np.array([1, 1, np.inf]))
    table = Honest(np.column_stack([x, x[:, 1]])[:, :3], np.zeros(200, int), None, bounds)
    seen = table.seen_by(np.arange(200), draw)
    assert table.width[2] > 15
    assert (seen[:, 0] >= 0).all()
    assert (seen[:, 0] <= 1).all()
    assert (seen[:, 2] != x[:, 2]).all()


def test_clients_whose_look_makes_the_model_unsure_are_expected():
    """The model is asked about their inputs; where all are answered with doubt, the limit of doubt lies higher."""
    x = honest()[0]
    scores = scores_of(x)
    calm = Honest(x, scores.argmax(axis=1), scores, BOUNDS, scores_of)
    shy = dataclasses.replace(calm, ask=lambda x: np.full((len(x), 10), 0.1 * np.random.default_rng(len(x)).random()))
    made = [sketched(one, seed=5, clients=30) for one in (calm, shy)]
    highest = [one.scales[3, 1].sum() * one.limits.doubt for one in made]
    assert highest[0] < highest[1]


def test_labels_alone_are_enough_but_few_inputs_are_not():
    """Without scores doubt is not looked at."""
    x = honest()[0]
    made = sketched(Honest(x, np.arange(len(x)) % 3, None, BOUNDS), seed=1, clients=30)
    assert made.doubt_spread == 0
    assert not made.unexpected(made.place(x[:5]), np.zeros(5, int), np.ones(5))[:, WAVES].any()
    same = sketched(Honest(np.repeat(x[:1], 1000, axis=0), np.zeros(1000, int), None, BOUNDS), seed=1, clients=30)
    assert np.isfinite(same.place(x[:5])).all()
    with pytest.raises(BadRequest, match="expected 1000"):
        sketched(Honest(x[:999], np.zeros(999, int), None, BOUNDS), seed=1)


def test_few_inputs_do_not_make_windows_stray_as_repeats_would():
    """Made-up clients ask a few hundred inputs a thousand times; real ones do not, and their windows are expected."""
    made, x = sketch(), honest()[1]
    rows = made.unexpected(made.place(x), scores_of(x).argmax(axis=1), doubt(scores_of(x), len(x)))
    window = (rows[:256, :WAVES].sum(axis=0) ** 2).sum() / 256
    middle, wide = made.scales[SIZES.index(256), 0]
    assert abs(window - middle) < 3 * wide


def test_one_honest_input_in_hundreds_is_strange_and_another_kind_mostly_is():
    """The line is drawn with the looks of clients; negatives of digits are beyond it."""
    made = sketch()

    def share(x):
        return float((made.distance(made.place(x), scores_of(x).argmax(axis=1)) > made.strange).mean())

    assert share(honest()[1]) <= 0.01
    assert share(unlike(200)) > 0.9

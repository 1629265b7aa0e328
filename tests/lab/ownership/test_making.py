"""The key decides everything, models that end alike have no fingerprint, and a stopped making goes on."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from tests.lab.ownership.cohorts import KEY, PLAN, RECIPE, cohort, data, draft

from bartizan.lab.labelled import Labelled
from bartizan.lab.membership.stacked import Recipe
from bartizan.lab.ownership import making


def regression(x, y, seed):
    """Train a model whose minimum does not depend on the seed."""
    return LogisticRegression(max_iter=500).fit(x, y).predict_proba


def test_the_same_key_makes_the_same_and_another_draws_another(tmp_path):
    """Which is how a judge repeats it; the second time the models come from the folder."""
    mine, pool = data()
    small = making.Plan(20, 50, 0.5, KEY)
    asked = making.with_mixtures(pool.x[:200], small)
    one, two = (making.cohort(mine, asked, Recipe((4,), epochs=1), small, cache=tmp_path) for _ in range(2))
    assert (one.scores == two.scores).all()
    assert len(list(tmp_path.iterdir())) == 3
    drawn = {making.ours_of(making.Plan(20, 50, 0.5, bytes([n] * 16))) for n in range(40)}
    assert len(drawn) > 10
    assert making.ours_of(small) == making.ours_of(small)


def test_points_come_from_the_rows_that_may_be_used_and_mixtures_fill_up():
    """None of the thieves' rows is a point."""
    _, pool = data()
    found = making.drafted(cohort(), np.arange(600, len(pool)))
    known = {row.tobytes() for row in pool.x[:600]}
    assert len(found.points) == PLAN.points
    assert not any(row.tobytes() in known for row in found.points)
    assert found.points.min() >= 0
    assert found.points.max() <= 1


def test_the_drawn_network_can_be_had_and_its_records():
    """It says what the cohort's table says."""
    everyone = cohort()
    for number in (0, 13):
        again = everyone.network(number).logits(everyone.asked[:50])[0]
        assert (again.argmax(axis=1) == everyone.labels[number, :50]).all()
    assert len(everyone.records(3)) == 250
    assert 0 < everyone.differ() < 1


def test_a_training_that_ends_alike_from_every_seed_has_no_fingerprint():
    """Softmax regression on the same records; on draws of them it has one."""
    mine, pool = data()
    few = Labelled(mine.x[:120], mine.y[:120])
    for share, fails in ((1.0, True), (0.5, False)):
        plan = making.Plan(20, 50, share, KEY)
        everyone = making.cohort(few, making.with_mixtures(pool.x, plan), regression, plan)
        if fails:
            with pytest.raises(ValueError, match="models differ on 0 points"):
                making.drafted(everyone, np.arange(len(pool)))
            with pytest.raises(TypeError, match="recipe"):
                everyone.network(0)
        else:
            assert len(making.drafted(everyone, np.arange(len(pool))).points) == 50


def test_what_could_convict_nobody_is_refused():
    """Too few models or points, no records, a key that is guessed."""
    for wrong in ((19, 50, 1.0, KEY), (20, 49, 1.0, KEY), (20, 50, 0.0, KEY), (20, 50, 1.0, b"short")):
        with pytest.raises(ValueError, match="expected at least"):
            making.Plan(*wrong)
    assert draft().evidence.shape == (PLAN.models, PLAN.points, 10)
    assert RECIPE.hidden == (16,)

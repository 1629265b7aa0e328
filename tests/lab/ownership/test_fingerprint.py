"""No suspect is convicted more often than the p-value says, whatever it is; copies of ours are."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC
from tests.lab.ownership.cohorts import PLAN, RECIPE, cohort, data, draft

from bartizan.lab.membership.stacked import train
from bartizan.lab.ownership.fingerprint import Fingerprint, Rank, differing, evidence_of, fitting

LEVELS = (0.05, 0.1, 0.25, 0.5)


def suspects():
    """Yield innocent models of many kinds: they know nothing of the draw, some know all records."""
    mine, pool = data()
    draw = np.random.default_rng(3)
    yield "constant", lambda z: np.zeros(len(z), int)
    yield "random", lambda z: draw.integers(0, 10, len(z))
    yield "answers outside the classes", lambda z: np.full(len(z), 99)
    for name, model in (
        ("neighbours", KNeighborsClassifier(1)),
        ("forest", RandomForestClassifier(20, random_state=1)),
        ("vectors", SVC()),
        ("regression", LogisticRegression(max_iter=300)),
        ("network", MLPClassifier((20,), max_iter=30, random_state=1)),
    ):
        yield name, model.fit(pool.x[:400], pool.y[:400]).predict
        yield f"{name} on the owner's records", model.fit(mine.x, mine.y).predict
    few = np.arange(len(pool)) < 30
    for name, x, y, inside in (
        ("few records", pool.x, pool.y, few),
        ("same recipe, other draw", mine.x, mine.y, np.random.default_rng(9).random(len(mine)) < 0.5),
    ):
        stack = train(x, y, inside[None], RECIPE, 77)
        yield name, lambda z, stack=stack: stack.logits(z)[0].argmax(axis=1)


def shares(found, answers):
    """Return the share of owners that convict at each level, each model being the owner once."""
    values = np.array([found.drawn(owner).of_answers(answers).p for owner in range(PLAN.models)])
    return [float((values <= level).mean()) for level in LEVELS]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_no_innocent_is_convicted_more_often_than_the_p_value_says():
    """Exactly, not on average: over the draw of the owner the share is at most the level, for each suspect alone."""
    found = draft()
    for name, labels in suspects():
        got = shares(found, labels(found.points))
        assert all(share <= level for share, level in zip(got, LEVELS, strict=True)), (name, got)


def test_a_fingerprint_that_knew_the_draw_would_be_caught_by_that():
    """Evidence that favours its owner convicts anybody: the check above must fail for it."""
    found = draft()
    answers = data()[1].y[:1].repeat(len(found.points))
    values = []
    for owner in range(PLAN.models):
        evidence = found.evidence.copy()
        evidence[owner] += 1.0
        values.append(Fingerprint(found.points, evidence, owner, np.zeros(0)).of_answers(answers).p)
    assert np.mean(np.array(values) <= 0.05) > 0.9


def test_copies_by_labels_are_found():
    """Five hundred labels of own records: most copies are found; the model itself always."""
    found, everyone, (_, pool) = draft(), cohort(), data()
    x, parents = pool.x[:500], (2, 7, 11, 19, 23)
    ranks = []
    for parent in parents:
        itself = found.drawn(parent).of_answers(_answers(everyone, parent, found))
        assert itself.p == pytest.approx(1 / PLAN.models)
        copy = train(x, everyone.labels[parent, :500], np.ones((1, 500), bool), RECIPE, parent)
        ranks.append(found.drawn(parent).verify(lambda z, copy=copy: copy.logits(z)[0].argmax(axis=1)).p)
    assert sum(p <= 0.05 for p in ranks) >= 3, ranks


def _answers(everyone, parent, found):
    places = {row.tobytes(): at for at, row in enumerate(everyone.asked)}
    return everyone.labels[parent, [places[row.tobytes()] for row in found.points]]


def test_models_change_places_and_their_evidence_with_them():
    """What chooses points and weighs answers treats all models alike."""
    draw = np.random.default_rng(1)
    scores = draw.dirichlet(np.ones(3), (25, 60))
    order = draw.permutation(25)
    assert np.allclose(evidence_of(scores, 1.0)[order], evidence_of(scores[order], 1.0), atol=1e-6)
    assert (differing(scores, 20) == differing(scores[order], 20)).all()
    assert len(differing(np.tile(scores[:1], (25, 1, 1)), 20)) == 0


def test_ties_and_unlucky_draws_count_against_the_owner():
    """Models that no answer tells apart convict nobody; nor does a fit that innocent models reach."""
    flat = Fingerprint(np.zeros((5, 2)), np.zeros((20, 5, 3)), 4, np.zeros(0))
    assert flat.of_answers(np.ones(5, int)).p == 1.0
    assert Rank(39, 0, 300, 3.0).p == 1 / 40
    lucky, unlucky = Rank(39, 0, 300, 3.0, 50, 0), Rank(39, 0, 300, 3.0, 50, 20)
    assert lucky.p == 1 / 40
    assert unlucky.p == 21 / 51
    assert unlucky.exact == 1 / 40
    assert str(lucky) == "rank 1 of 40 after 300 questions, 0 of 50 innocent models fit as well: p = 0.025"
    assert (fitting(np.ones((2, 3, 2)), np.array([0, -1, 7])) == 1).all()


def test_shapes_that_do_not_belong_together_are_refused():
    """With what was expected."""
    with pytest.raises(ValueError, match="models of at least 20"):
        Fingerprint(np.zeros((5, 2)), np.zeros((3, 5, 3)), 1, np.zeros(0))
    with pytest.raises(ValueError, match="ours < models"):
        Fingerprint(np.zeros((5, 2)), np.zeros((20, 5, 3)), 20, np.zeros(0))

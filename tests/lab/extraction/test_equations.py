"""d + 1 exact answers give the model; one fewer does not; rounded answers need more."""

import numpy as np

from bartizan.lab.extraction.equations import Linear, fit, solve

DRAW = np.random.default_rng(2)
MODEL = Linear(DRAW.normal(size=(20, 5)), DRAW.normal(size=5))
TEST = DRAW.normal(size=(500, 20))


def agreement(model):
    """Return the share of labels alike."""
    return (model.labels(TEST) == MODEL.labels(TEST)).mean()


def test_one_more_question_than_features_gives_the_whole_model():
    """Every label and every score."""
    x = DRAW.uniform(size=(21, 20))
    stolen = solve(x, MODEL.scores(x))
    assert agreement(stolen) == 1.0
    assert np.allclose(stolen.scores(TEST), MODEL.scores(TEST), atol=1e-6)


def test_one_question_too_few_does_not():
    """The oracle has a case that it must fail."""
    x = DRAW.uniform(size=(14, 20))
    assert agreement(solve(x, MODEL.scores(x))) < 0.95


def test_rounding_raises_the_price_only():
    """Two digits: useless with d + 1 questions, good with forty times as many."""
    few, many = DRAW.normal(size=(21, 20)), DRAW.normal(size=(840, 20))
    rounded = [solve(x, MODEL.scores(x).round(2), floor=0.003, ridge=1.0) for x in (few, many)]
    assert agreement(rounded[0]) < 0.9 < agreement(rounded[1])


def test_labels_alone_teach_a_copy():
    """Slowly, but surely."""
    x = DRAW.normal(size=(1500, 20))
    assert agreement(fit(x, np.eye(5)[MODEL.labels(x)])) > 0.93
    assert agreement(fit(x, MODEL.scores(x), penalty=1e-6)) > 0.99

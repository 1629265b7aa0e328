"""One regression on known outsiders stands in for shadow models."""

import numpy as np
from tests.lab.membership.samples import RECIPE, records

from bartizan.lab.membership.judge import roc
from bartizan.lab.membership.quantile import quantile_scores
from bartizan.lab.membership.signals import probabilities
from bartizan.lab.membership.stacked import train


def test_members_exceed_what_an_outsider_like_them_would_get():
    """Beats chance on members, and finds nothing among outsiders."""
    x, y = records(n=900)
    inside = np.arange(900) < 300
    scores = probabilities(train(x, y, inside[None], RECIPE, seed=3).logits(x)[0])
    known = np.arange(900) >= 600
    asked = ~known
    got = quantile_scores((x[known], y[known], scores[known]), (x[asked], y[asked], scores[asked]), seed=1)
    assert roc(got, inside[asked]).auc > 0.65
    outsiders = np.random.default_rng(1).random(300) < 0.5
    assert 0.4 < roc(got[300:], outsiders).auc < 0.6

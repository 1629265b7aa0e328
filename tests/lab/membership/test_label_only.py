"""Labels alone still tell members from others, at the price of more questions."""

import numpy as np
import pytest
from tests.lab.membership.samples import RECIPE, records

from bartizan.lab.membership.judge import roc
from bartizan.lab.membership.label_only import kept_share, label_only_scores, margin
from bartizan.lab.membership.shadows import balanced_halves
from bartizan.lab.membership.stacked import train


def test_noise_tells_members_that_the_bare_label_cannot():
    """Kept labels, calibrated by references, beat the gap attack."""
    x, y = records()
    inside = balanced_halves(len(x), 6, seed=5)
    stack = train(x, y, inside, RECIPE, seed=2)

    def share(model):
        return kept_share(
            lambda rows: stack.one(model).logits(rows)[0].argmax(axis=1), x, y, strengths=(0.3, 0.7), copies=12, seed=9
        )

    shares = np.stack([share(model) for model in range(6)])
    gap = (stack.one(0).logits(x)[0].argmax(axis=1) == y).astype(float)
    assert roc(label_only_scores(shares[0], shares[2:], inside[2:], 25), inside[0]).auc > roc(gap, inside[0]).auc + 0.03


def test_binary_records_have_features_flipped_and_stay_binary():
    """Nothing but zeros and ones is asked."""
    x = np.random.default_rng(0).integers(0, 2, (50, 8)).astype(np.float32)
    asked = []

    def labels(rows):
        asked.append(rows)
        return rows[:, 0].astype(int)

    share = kept_share(labels, x, x[:, 0].astype(int), strengths=(0.25,), copies=40, seed=1)
    assert all(np.isin(rows, (0, 1)).all() for rows in asked)
    assert len(asked) == 41
    assert share.mean() == pytest.approx(0.75, abs=0.03)


def test_a_margin_of_a_certain_answer_is_finite():
    """Half an answer stays in doubt."""
    assert margin(np.array([1.0, 0.5, 0.0]), 9) == pytest.approx([np.log(19), 0.0, -np.log(19)])

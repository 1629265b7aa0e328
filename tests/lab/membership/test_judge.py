"""The judge counts ties fairly, keeps to the false-positive rate, and reports the worst attack."""

import numpy as np
import pytest

from bartizan.lab.membership.judge import judge_membership, judge_targets, most_vulnerable, roc, worst

MEMBERS = np.arange(4000) < 2000


def test_a_perfect_attack_and_a_constant_one():
    """One is everything, the other the diagonal: ties are no hits."""
    perfect = judge_membership("oracle", MEMBERS.astype(float), MEMBERS, seed=1)
    constant = judge_membership("constant", np.zeros(4000), MEMBERS, seed=1)
    assert (perfect.auc.value, perfect.tpr[0.001].value) == (1.0, 1.0)
    assert (constant.auc.value, constant.tpr[0.001].value, constant.tpr[0.01].value) == (0.5, 0.0, 0.0)


def test_the_hit_rate_is_taken_within_the_false_positive_rate():
    """Ten members above everything, then a non-member block: 0.5 % hits, not more."""
    score = np.zeros(4000)
    score[:10] = 9
    score[2000:2100] = 8
    score[10:2000] = 7
    curve = roc(score, MEMBERS)
    assert curve.at(0.001) == 10 / 2000
    assert curve.at(0.05) == 1.0


def test_noise_is_near_chance_and_its_interval_says_so():
    """A fair coin's interval holds one half."""
    score = np.random.default_rng(3).normal(size=4000)
    leak = judge_membership("coin", score, MEMBERS, seed=2)
    assert leak.auc.low < 0.5 < leak.auc.high
    assert leak.tpr[0.01].value < 0.03


def test_the_figure_of_a_model_is_its_worst_attack():
    """The maximum over attacks."""
    weak, strong = (
        judge_membership(name, MEMBERS * gain + np.random.default_rng(1).normal(size=4000), MEMBERS, seed=2)
        for name, gain in (("weak", 0.5), ("strong", 3.0))
    )
    assert worst([weak, strong]) is strong


def test_several_targets_share_one_threshold():
    """A target whose scores all lie higher costs false positives; the interval is over targets."""
    members = np.stack([MEMBERS[::20], MEMBERS[::20]])
    score = members * 1.0
    assert judge_targets("same", score, members, seed=1).tpr[0.001].value == 1.0
    shifted = judge_targets("shifted", score + np.array([[0], [5]]), members, seed=1)
    assert shifted.tpr[0.001].value == pytest.approx(0.5)
    assert shifted.tpr[0.001].high == 1.0
    assert shifted.auc.n == members.size


def test_the_most_vulnerable_are_members_that_any_attack_recognises():
    """Best rank over attacks of different scales; others are never named."""
    first, second = np.zeros(4000), np.zeros(4000)
    first[[7, 2001]] = 5, 9
    second[[11, 3]] = 800, 900
    assert most_vulnerable([first, second], MEMBERS, count=2) == [3, 11]


def test_what_cannot_be_judged_is_refused():
    """Both kinds must occur and NaN is no score."""
    with pytest.raises(ValueError, match="both kinds"):
        roc(np.zeros(3), np.ones(3, dtype=bool))
    with pytest.raises(ValueError, match="NaN"):
        roc(np.array([np.nan, 1.0]), np.array([True, False]))

"""A suite attacks what still stands, says what each attack added, and skips what it may not use."""

import pytest
import torch

from bartizan.core.errors import BadSettings
from bartizan.lab.evasion.apgd import Apgd
from bartizan.lab.evasion.pgd import Pgd
from bartizan.lab.evasion.square import Square
from bartizan.lab.evasion.suite import (
    DEFAULT,
    LABELS_ONLY,
    QUICK,
    SCORES_ONLY,
    SPARSE,
    STANDARD,
    curve,
    run_suite,
    suite_for,
)
from bartizan.lab.target import Access


def test_each_stage_sees_only_what_the_last_left(plain, problem):
    """Standing before, fallen, robust accuracy: the numbers add up."""
    some = problem(plain)
    found = run_suite(some, (Pgd(2), Apgd("ce", 20), Square(50)))
    standing = round(found.clean.value * 60)
    for stage in found.stages:
        assert stage.standing_before == standing
        standing -= stage.fell
        assert stage.robust.value == pytest.approx(standing / 60)
    assert found.robust.value == pytest.approx(standing / 60)
    assert int((~found.fooled).sum()) == standing
    assert (some.ball.distances(found.adversarial, some.x) <= some.ball.epsilon + 1e-5).all()


def test_an_attack_that_needs_more_access_is_skipped_and_named(plain, problem):
    """Scores are no weights."""
    found = run_suite(problem(plain.seen_with(Access.SCORES), n=5), (Apgd("ce", 5), Square(5)))
    assert found.skipped == ("APGD-CE 5×1",)
    assert [stage.attack for stage in found.stages] == ["Square 5"]


def test_the_strongest_allowed_suite_is_chosen(plain, problem):
    """By access and norm, unless the user chose."""
    assert suite_for(problem(plain)) == DEFAULT
    assert suite_for(problem(plain.seen_with(Access.SCORES))) == SCORES_ONLY
    assert suite_for(problem(plain.seen_with(Access.LABELS))) == LABELS_ONLY
    assert suite_for(problem(plain, "L0", 3)) == SPARSE
    assert suite_for(problem(plain), "standard") == STANDARD
    assert suite_for(problem(plain), "quick") == QUICK


def test_no_suite_holds_only_attacks_that_cannot_run(plain, problem):
    """A quick look in another norm, or at labels, has attacks of its own; AutoAttack's budget is refused there."""
    labels = plain.seen_with(Access.LABELS)
    for some in (problem(plain, "L0", 3), problem(plain, "patch", 0.1), problem(labels)):
        quick = suite_for(some, "quick")
        assert quick
        assert all(one.needs <= some.target.access for one in quick)
        with pytest.raises(BadSettings, match="made for Linf and L2 with scores"):
            suite_for(some, "standard")
    assert suite_for(problem(labels, "L0", 3)) == ()


def test_the_curve_never_rises(robust, problem):
    """Accuracy against epsilon, smallest first."""
    told = []
    points = curve(problem(robust), (Pgd(10),), (2, 0.5, 1), lambda *progress: told.append(progress))
    assert [epsilon for epsilon, _ in points] == pytest.approx([0.075, 0.15, 0.3])
    shares = [found.robust.value for _, found in points]
    assert shares == sorted(shares, reverse=True)
    assert len(told) == 3
    assert torch.equal(points[0][1].fooled & points[-1][1].fooled, points[0][1].fooled)

"""Patches stay in one rectangle; one patch for all works at places drawn anew."""

import pytest
import torch

from bartizan.core.errors import BadSettings
from bartizan.lab.evasion.balls import Ball, Box
from bartizan.lab.evasion.judge import judge, judge_clean
from bartizan.lab.evasion.patch import Patch, PatchAnywhere
from bartizan.lab.target import Arrays, of_callable


def test_changes_fill_one_rectangle_and_are_left_alone_by_the_judge(plain, problem):
    """A quarter of the area: 4 of 8 pixels each way."""
    some = problem(plain, "patch", 0.25, n=30)
    proposal = Patch(10, 2).perturb(some)
    changed = (proposal != some.x)[:, 0]
    assert (changed.any(1).sum(1) <= 4).all()
    assert (changed.any(2).sum(1) <= 4).all()
    judged = judge(some, proposal)
    assert torch.allclose(judged.adversarial, proposal, atol=1e-6)
    assert (judged.moved <= 0.25 + 1e-6).all()


def test_more_places_win_no_less(plain, problem):
    """What has fallen at the first place stays fallen."""
    some = problem(plain, "patch", 0.1, n=40)
    once, often = ((~judge(some, Patch(15, places).perturb(some)).fooled).sum() for places in (1, 6))
    assert often <= once < (~judge_clean(some).fooled).sum()


def test_one_patch_is_the_same_everywhere_and_beats_noise(plain, problem):
    """Learnt, it turns more than the random patch that it starts from; every example holds the same 16 values."""
    some = problem(plain, "patch", 0.25, n=60)
    fell = [int(judge(some, PatchAnywhere(steps).perturb(some)).fooled.sum()) for steps in (0, 60)]
    assert fell[1] > fell[0]
    found = PatchAnywhere(60).perturb(some)
    mass = torch.nn.functional.unfold(found, 4).transpose(1, 2)
    patch = next(one for one in mass[0] if all((one == other).all(1).any() for other in mass))
    assert patch.std() > 0


def test_one_patch_over_everything_leaves_the_class_it_stands_for(plain, problem):
    """All pictures become the same: those of its class stand, all others have fallen."""
    some = problem(plain, "patch", 1.0, n=60)
    judged = judge(some, PatchAnywhere(30).perturb(some))
    said = plain.labels(judged.adversarial.numpy())
    assert len(set(said.tolist())) == 1
    assert torch.equal(~judged.fooled, some.y == said[0])


def test_lines_get_stretches():
    """What is no picture is one line: 3 of 10 values in a row."""
    ball, x = Ball("patch", 0.3), torch.zeros(2, 10)
    kept = ball.project(torch.arange(20.0).reshape(2, 10) / 20, x, Box(torch.tensor(0.0), torch.tensor(1.0)))
    assert (kept != 0).sum(1).tolist() == [3, 3]
    assert kept[0, 7:].tolist() == pytest.approx([0.35, 0.4, 0.45])


def test_other_bounds_and_endless_ranges_are_refused(plain, problem):
    """Each error says what to do."""
    with pytest.raises(BadSettings, match="got Linf"):
        Patch().perturb(problem(plain))
    endless = problem(plain, "patch", 0.2)
    target = of_callable("f", lambda x: x, Arrays((1, 8, 8), -float("inf"), float("inf")), classes=2)
    with pytest.raises(BadSettings, match="must be finite"):
        PatchAnywhere().perturb(type(endless)(target, endless.ball, endless.x, endless.y))

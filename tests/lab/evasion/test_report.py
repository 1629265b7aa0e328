"""The page and the JSON say what was measured, with nothing from outside and nothing that can act."""

import json

import numpy as np
import pytest
import torch

from bartizan.core.measures import proportion
from bartizan.lab.evasion.balls import Ball
from bartizan.lab.evasion.base import Problem
from bartizan.lab.evasion.masking import Sign
from bartizan.lab.evasion.pgd import Pgd
from bartizan.lab.evasion.report import Report, as_json, as_page, plot
from bartizan.lab.evasion.square import Square
from bartizan.lab.evasion.suite import run_suite
from bartizan.lab.target import Arrays, of_callable


@pytest.fixture
def report(plain, problem):
    """A short attack on images."""
    some = problem(plain, n=20)
    points = [(0.1, proportion(15, 20, seed=0)), (0.2, proportion(5, 20, seed=0))]
    plain.name = "<script>alert(1)</script>"
    return Report(some, run_suite(some, (Pgd(5),)), points, (Sign("a sign", "seen", "do this"),))


def test_the_page_shows_figures_curve_examples_and_signs(report):
    """Pictures are inside the page; a hostile name stays text; no script, no outside address."""
    page = as_page(report)
    for words in ("accuracy under attack", "PGD 5", "data:image/png", "<polyline", "a sign", "became"):
        assert words in page
    assert "<script" not in page
    assert "://" not in page


def test_the_json_carries_intervals_seed_and_stages(report):
    """And is JSON."""
    words = json.loads(json.dumps(as_json(report)))
    assert words["robust_accuracy"]["low"] <= words["robust_accuracy"]["value"] <= words["robust_accuracy"]["high"]
    assert words["stages"][0]["attack"] == "PGD 5×1"
    assert len(words["curve"]) == 2


def test_a_row_of_columns_shows_what_changed():
    """There is no picture of a row."""
    model = lambda x: np.stack([0.6 - x[:, 0], x[:, 0] - 0.4], axis=1)  # noqa: E731
    target = of_callable("rows", model, Arrays((4,), 0, 1), classes=2, score_kind="logits")
    some = Problem(target, Ball("Linf", 0.3), torch.full((3, 4), 0.4), torch.zeros(3, dtype=torch.int64))
    page = as_page(Report(some, run_suite(some, (Square(60),)), names=("age", "b", "c", "d")))
    assert "<td>age</td>" in page
    assert plot([]) == ""


def test_where_nothing_won_the_page_says_so(plain, problem):
    """No example is shown."""
    some = problem(plain, epsilon=0.0, n=5)
    assert "No allowed change won" in as_page(Report(some, run_suite(some, (Pgd(1),))))

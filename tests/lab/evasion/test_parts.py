"""A long attack is kept in parts, gone on with, and never mixed with another one's parts."""

import numpy as np
import torch

from bartizan.lab.evasion.parts import Kept, digest, run_in_parts
from bartizan.lab.evasion.pgd import Pgd
from bartizan.lab.evasion.square import Square
from bartizan.lab.target import Target, Traits

ATTACKS = (Pgd(5), Square(20))


def quiet(what, done, total):
    """Tell nobody."""


def test_finished_parts_are_not_run_again_and_give_the_same_result(plain, problem, tmp_path):
    """The second run asks only about the digest's examples, twice; a broken part is run again."""
    some, kept = problem(plain, n=30), Kept(tmp_path, 10)
    first = run_in_parts(some, ATTACKS, kept, quiet)
    before = plain.queries
    again = run_in_parts(some, ATTACKS, kept, quiet)
    assert plain.queries - before == 60
    assert torch.equal(first.fooled, again.fooled)
    assert (first.robust, first.stages) == (again.robust, again.stages)
    part = next(tmp_path.rglob("part-00001.npz"))
    part.write_bytes(part.read_bytes()[:100])
    mended = run_in_parts(some, ATTACKS, kept, quiet)
    assert torch.equal(first.fooled, mended.fooled)


def test_the_counts_of_parts_add_up(plain, problem, tmp_path):
    """Stage by stage, down to the robust accuracy."""
    found = run_in_parts(problem(plain, n=25), ATTACKS, Kept(tmp_path, 10), quiet)
    standing = round(found.clean.value * 25)
    for stage in found.stages:
        assert stage.standing_before == standing
        standing -= stage.fell
    assert standing == int((~found.fooled).sum())
    assert found.robust.n == 25


def test_another_bound_budget_or_model_has_another_name(plain, robust, problem):
    """Nothing of one attack is taken for another's."""
    names = {
        digest(problem(plain), ATTACKS),
        digest(problem(plain), ATTACKS[:1]),
        digest(problem(plain, epsilon=0.2), ATTACKS),
        digest(problem(robust), ATTACKS),
        digest(problem(plain, n=10), ATTACKS),
    }
    assert len(names) == 5


def test_two_trainings_of_one_model_are_told_apart(plain, problem):
    """Although they give the same labels; a model with unsteady scores is known by its labels."""
    draw = np.random.default_rng(0)

    def seen(factor, noise=0.0):
        def scores(x):
            said = factor * plain.log_scores(x)
            return said + noise * draw.random(said.shape)

        return digest(problem(Target("model", scores, plain.spec, Traits(10, score_kind="logits"))), ATTACKS)

    assert seen(1) == seen(1) != seen(1.1)
    assert seen(1, 1e-9) == seen(1)
    assert seen(1, 0.02) == seen(1, 0.03) != seen(1)

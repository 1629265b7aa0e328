"""The audit never claims too much of honest training, refutes what it can, and catches five planted bugs."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from bartizan.lab.membership import stacked
from bartizan.lab.membership.stacked import Noise, Recipe, train
from bartizan.lab.privacy.accountant import noise_for
from bartizan.lab.privacy.audit import audit, flip, lower_bound, p_value, with_canaries

DELTA = 1e-5
STEPS = 10


def honest(epsilon, rate, canaries=1000, seed=1):
    """Return canaries in digits, and the recipe that claims `epsilon` for them, one expected batch of `rate`."""
    digits = load_digits()
    world = with_canaries(digits.data[:200] / 16.0, digits.target[:200], canaries, seed=seed)
    members = int(world.inside.sum())
    batch = max(1, round(rate * members))
    epochs = max(1, round(STEPS * rate))
    steps = epochs * max(1, round(members / batch))
    noise = Noise(1.0, noise_for(epsilon, DELTA, batch / members, steps))
    # A step moves a canary's weight by 1/40: in sum it stays below where its gradient would fall under the clip.
    recipe = Recipe(hidden=(), optimizer="sgd", learning_rate=batch / 40, epochs=epochs, batch=batch, noise=noise)
    return world, recipe


def audited(world, recipe, seed=1):
    """Train once and return the bound."""
    weights = train(world.x, world.y, world.inside, recipe, seed).weights[0][0].numpy()
    return audit(world.scores(weights), world.coins, delta=DELTA)


def test_a_mechanism_that_keeps_its_promise_is_not_accused():
    """Randomised response at exactly epsilon, a hundred runs: the bound exceeds it in at most one in twenty."""
    epsilon, wrong = 1.0, 0
    for seed in range(100):
        coins = flip(400, seed)
        told = np.random.default_rng((seed, 7)).random(400) < 1 / (1 + np.exp(-epsilon))
        scores = np.where(told, coins, ~coins) + 1e-6 * np.random.default_rng((seed, 8)).random(400)
        wrong += audit(scores, coins, delta=0.0).epsilon > epsilon
    assert wrong <= 5


def test_scores_that_know_nothing_refute_nothing():
    """Noise gives a bound of about zero."""
    bounds = [audit(np.random.default_rng(seed).normal(size=500), flip(500, seed), delta=DELTA) for seed in range(20)]
    assert sum(one.epsilon > 0 for one in bounds) <= 2


@pytest.mark.parametrize("seed", [1, 2])
def test_training_at_epsilon_eight_is_bounded_from_below_and_not_above_it(seed):
    """More than 1.5, and never more than what it spent."""
    world, recipe = honest(8.0, 1.0, seed=seed)
    found = audited(world, recipe, seed)
    assert 1.5 < found.epsilon < 8.0
    assert "guesses right" in str(found)


def no_noise(monkeypatch, world):
    """Leave the noise away."""
    monkeypatch.setattr(
        stacked, "_add_noise", lambda parameters, noise, batch, draw: [p.grad.div_(batch) for p in parameters]
    )


def no_clipping(monkeypatch, world):
    """Let every gradient through whole; a record ten times as long then moves the model ten times as far."""
    monkeypatch.setattr(stacked, "clip_factors", lambda values, deltas, clip: torch.ones(deltas[0].shape[:2]))
    world.x[-len(world.coins) :] *= 10


def wrong_sampling(monkeypatch, world):
    """Take every record in every step, and account for a tenth."""

    def everything(inside, recipe, draw):
        members = np.flatnonzero(inside[0])[None]
        for _ in range(recipe.epochs * round(members.size / recipe.batch)):
            yield members, np.ones(members.shape, dtype=np.float32)

    monkeypatch.setattr(stacked, "_poisson", everything)


def per_batch_clipping(monkeypatch, world):
    """Clip the norm of the batch's mean gradient, which bounds no record."""

    def together(values, deltas, clip):
        squared = sum(torch.bmm(v.transpose(1, 2), d).square().sum((1, 2)) for v, d in zip(values, deltas, strict=True))
        mean = squared.sqrt() / deltas[0].shape[1]
        return (clip / mean.clamp_min(1e-12)).clamp_max(1.0)[:, None].expand(deltas[0].shape[:2])

    monkeypatch.setattr(stacked, "clip_factors", together)
    world.x[-len(world.coins) :] *= 10


@pytest.mark.parametrize(
    "bug", [no_noise, no_clipping, wrong_sampling, per_batch_clipping], ids=lambda bug: bug.__name__
)
def test_a_planted_bug_is_caught(bug, monkeypatch):
    """It claims epsilon 1; the audit refutes that. Without the bug it does not."""
    world, recipe = honest(1.0, 0.1)
    assert audited(world, recipe).epsilon < 1.0
    bug(monkeypatch, world)
    assert audited(world, recipe).epsilon > 1.0


def test_a_reused_seed_is_caught_by_whoever_runs_it_without_the_canaries():
    """The same noise twice cancels: the difference of two runs is the canaries and nothing else."""
    world, recipe = honest(1.0, 1.0)
    bare = world.inside.copy()
    bare[0, -len(world.coins) :] = False
    whole, without = (
        train(world.x, world.y, inside, recipe, seed=5).weights[0][0].numpy() for inside in (world.inside, bare)
    )
    assert audit(world.scores(whole - without), world.coins, delta=DELTA).epsilon > 1.0
    fresh = train(world.x, world.y, bare, recipe, seed=6).weights[0][0].numpy()
    assert audit(world.scores(whole - fresh), world.coins, delta=DELTA).epsilon < 1.0


def test_the_p_value_is_the_binomial_tail_without_delta_and_grows_with_it():
    """Closed form; delta adds what the theorem says and no more than one."""
    assert p_value(10, 10, 100, 0.0, 0.0) == pytest.approx(2.0**-10)
    assert p_value(10, 10, 100, 0.0, 1e-3) > 2.0**-10
    assert p_value(3, 10, 100, 0.0, 1.0) == 1.0
    assert lower_bound(5, 10, 100, 0.0, 0.05) == 0.0
    bound = lower_bound(60, 64, 1000, 0.0, 0.05)
    assert p_value(60, 64, 1000, bound, 0.0) == pytest.approx(0.05, rel=1e-3)


def test_too_few_canaries_are_refused():
    """A count of guesses needs as many coins."""
    with pytest.raises(ValueError, match="at least 32 canaries"):
        audit(np.zeros(10), np.zeros(10, dtype=bool), delta=0.0)

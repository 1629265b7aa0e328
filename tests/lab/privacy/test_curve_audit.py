"""The bound against a curve is the paper's, above the plain one, and accuses no mechanism that keeps its curve."""

from math import exp, inf

import numpy as np
import pytest
from scipy.stats import norm

from bartizan.lab.privacy.audit import audit, flip, lower_bound
from bartizan.lab.privacy.curve_audit import approximate, gaussian, gaussian_bound, gaussian_mu, refuted

DELTA = 1e-5


def naive(curve, right, guesses, canaries, beta):
    """Algorithm 3 as it stands in the paper, without the early end."""
    hit, miss = beta * right / canaries, beta * (guesses - right) / canaries
    for count in range(right - 1, -1, -1):
        more = max(miss, curve(hit))
        hit, miss = min(1.0, hit + count / (guesses - count) * (more - miss)), more
    return hit + miss > guesses / canaries


def leaked(mu, canaries, seed):
    """Return what a mu-GDP mechanism says of each canary, and the coins: the Gaussian mechanism itself."""
    coins = flip(canaries, seed)
    return np.random.default_rng((seed, 3)).normal(size=canaries) + mu * coins, coins


@pytest.mark.parametrize(
    ("right", "guesses", "canaries", "bound"),
    [(700, 1000, 1000, 1.37198), (180, 200, 1000, 2.90124), (64, 64, 1000, 4.56882), (60, 100, 500, 0.04939)],
)
def test_the_bound_is_that_of_the_reference_implementation(right, guesses, canaries, bound):
    """Values of jax_privacy's epsilon_one_run_fdp at delta 1e-5 and 95 %, worked out with SciPy's normal and root."""
    assert gaussian_bound(right, guesses, canaries, DELTA, 0.05) == pytest.approx(bound, abs=2e-5)


def test_ending_early_changes_nothing():
    """Where one more count moves nothing, none after it does."""
    for right in (30, 37, 40, 45, 50):
        for epsilon in (0.0, 0.5, 1.0, 2.0):
            curve = gaussian(epsilon, DELTA)
            assert refuted(curve, right, 50, 200, 0.05) == naive(curve, right, 50, 200, 0.05)


def test_the_curve_of_a_gaussian_mechanism_touches_its_epsilon_and_delta():
    """Over all events, what is lost beyond e^epsilon is delta; the curve never lies under the worst case."""
    for epsilon in (0.1, 1.0, 4.0):
        curve, worst = gaussian(epsilon, 1e-3), approximate(epsilon, 1e-3)
        chances = norm.cdf(np.linspace(-9, 9, 4001))
        lost = [chance - exp(epsilon) * curve(chance) for chance in chances]
        assert max(lost) == pytest.approx(1e-3, rel=1e-3)
        assert all(curve(chance) >= worst(chance) - 1e-12 for chance in chances)
    assert gaussian_mu(4.3771780956812245, DELTA) == pytest.approx(1.0, rel=1e-6)


def test_a_gaussian_mechanism_is_not_accused_and_bounded_higher_than_by_one_point():
    """Fifty runs at mu = 1, epsilon 4.38: the bound exceeds it in at most one in twenty, and beats the plain one."""
    higher, wrong = [], 0
    for seed in range(50):
        scores, coins = leaked(1.0, 400, seed)
        found = audit(scores, coins, delta=DELTA, guesses=(40, 130, 400), bound=gaussian_bound)
        wrong += found.epsilon > 4.378
        higher.append(found.epsilon - audit(scores, coins, delta=DELTA, guesses=(40, 130, 400)).epsilon)
    assert wrong <= 2
    assert np.mean(higher) > 0.3


def test_a_mechanism_of_another_kind_is_accused_of_not_being_gaussian():
    """Randomised response at epsilon 1 keeps its promise, but no Gaussian of (1, 1e-5) answers so well."""
    told = np.random.default_rng(5).random(1000) < 1 / (1 + np.exp(-1.0))
    right = int(told.sum())
    assert lower_bound(right, 1000, 1000, DELTA, 0.05) < 1.0 < gaussian_bound(right, 1000, 1000, DELTA, 0.05)
    assert not refuted(approximate(1.0, 0.0), right, 1000, 1000, 0.05)


def test_what_is_no_game_is_refused():
    """No delta, more right than guessed, more guessed than planted."""
    for delta, right, guesses in ((0.0, 5, 10), (DELTA, 11, 10), (DELTA, 5, 101), (inf, 5, 10)):
        with pytest.raises(ValueError, match="expected"):
            gaussian_bound(right, guesses, 100, delta, 0.05)

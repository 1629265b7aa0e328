"""A membership test for few reference models: what one record's models cannot tell, the other records' can.

Empirical Bayes in three steps, all estimated from the references' own scores. (1) A record's mean confidence outside
and inside a training set has a joint normal prior, so its outside scores also speak about its inside ones. (2) The
variance is a smooth function of the mean (members near certainty vary less), and each record's own variance is
shrunk towards it by as much as the data ask for (Smyth 2004). (3) The ratio is of posterior predictive Student-t
densities, so a record seen by few models is judged carefully. With many models it becomes LiRA online; the family is
that of BaVarIA (arXiv 2603.11799), the estimator is our own.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln, polygamma

ROUNDS = 3
BINS = 16
FALLBACK_VARIANCE = (1.0, 3.0)
"""Variance inside and outside where every record has one score on that side, so that nothing can be estimated."""
FALLBACK_FREEDOM = 10.0
_RIDGE = 0.01


@dataclass(frozen=True)
class Side:
    """The references' scores on one side (inside or outside): count, mean and sum of squares for each record."""

    count: np.ndarray
    mean: np.ndarray
    squares: np.ndarray

    @property
    def freedom(self) -> np.ndarray:
        """Return the degrees of freedom of each record's variance."""
        return np.asarray(np.maximum(self.count - 1, 0))


def log_ratio(
    target: np.ndarray, references: np.ndarray, inside: np.ndarray, covariates: np.ndarray | None = None
) -> np.ndarray:
    """Return log p(target | member) - log p(target | not) for every record, (n,).

    `target` (n,) and `references` (k, n) are scaled confidences, `inside` (k, n) bool. With `covariates` (n, c) the
    prior of a record's means is centred on what they predict of it (they should hold a constant), else on the mean of
    all. Each side needs one score somewhere; raises ValueError otherwise.
    """
    within, without = side(references, inside), side(references, ~inside)
    if not within.count.any() or not without.count.any():
        raise ValueError(f"pooled: {len(references)} references all on one side: expected some inside and some outside")
    spread_in, spread_out = (
        _first_variance(one, fall) for one, fall in zip((within, without), FALLBACK_VARIANCE, strict=True)
    )
    for _ in range(ROUNDS):
        (mean_out, extra_out), (mean_in, extra_in) = _means(without, within, spread_out, spread_in, covariates)
        spread_out, spread_in = _smooth(mean_out, without, spread_out), _smooth(mean_in, within, spread_in)
    return np.asarray(
        _log_density(target, mean_in, extra_in, within, spread_in)
        - _log_density(target, mean_out, extra_out, without, spread_out)
    )


def side(references: np.ndarray, chosen: np.ndarray) -> Side:
    """Return count, mean and sum of squares of the `chosen` scores of each record."""
    count = chosen.sum(axis=0).astype(float)
    mean = (references * chosen).sum(axis=0) / np.maximum(count, 1)
    squares = (((references - mean) ** 2) * chosen).sum(axis=0)
    return Side(count, mean, squares)


def _first_variance(one: Side, fallback: float) -> np.ndarray:
    freedom = one.freedom.sum()
    value = max(one.squares.sum() / freedom, 1e-6) if freedom else fallback
    return np.full(len(one.count), value)


def _means(
    without: Side, within: Side, spread_out: np.ndarray, spread_in: np.ndarray, covariates: np.ndarray | None
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return posterior (mean, variance of that mean) outside and inside, under a joint normal prior over records."""
    has_out, has_in = without.count > 0, within.count > 0
    both = has_out & has_in
    centre_out, centre_in = (
        _centre(one, spread, covariates) for one, spread in ((without, spread_out), (within, spread_in))
    )
    off_out, off_in = without.mean - centre_out, within.mean - centre_in
    noise_out, noise_in = spread_out / np.maximum(without.count, 1), spread_in / np.maximum(within.count, 1)
    # Method of moments: what the means vary by, less what their own noise explains.
    prior_out = max(float((off_out[has_out] ** 2).mean() - noise_out[has_out].mean()), 1e-3)
    prior_in = max(float((off_in[has_in] ** 2).mean() - noise_in[has_in].mean()), 1e-3)
    limit = 0.98 * np.sqrt(prior_out * prior_in)
    shared = float(np.clip((off_out * off_in)[both].mean(), -limit, limit)) if both.any() else limit
    precision = np.linalg.inv(np.array([[prior_out, shared], [shared, prior_in]]))
    weight_out, weight_in = without.count / spread_out, within.count / spread_in
    a, b, c = precision[0, 0] + weight_out, precision[0, 1], precision[1, 1] + weight_in
    determinant = a * c - b * b
    pull_out, pull_in = weight_out * off_out, weight_in * off_in
    mean_out = centre_out + (c * pull_out - b * pull_in) / determinant
    mean_in = centre_in + (a * pull_in - b * pull_out) / determinant
    return (mean_out, c / determinant), (mean_in, a / determinant)


def _centre(one: Side, spread: np.ndarray, covariates: np.ndarray | None) -> np.ndarray | float:
    """Return what is expected of a record's mean before its scores are seen: a ridge regression on the covariates."""
    has = one.count > 0
    if covariates is None:
        return float(one.mean[has].mean())
    weight = np.where(has, 1 / (1 + spread / np.maximum(one.count, 1)), 0.0)
    weighed = covariates * weight[:, None]
    gram = weighed.T @ covariates + _RIDGE * np.eye(covariates.shape[1])
    return np.asarray(covariates @ np.linalg.solve(gram, weighed.T @ one.mean))


def _smooth(mean: np.ndarray, one: Side, before: np.ndarray) -> np.ndarray:
    """Return the variance as a function of the mean: pooled in quantile bins, interpolated between them."""
    if not one.freedom.any():
        return before
    bins = max(1, min(BINS, len(mean) // 20))
    parts = [part for part in np.array_split(np.argsort(mean), bins) if one.freedom[part].any()]
    centres = [float(mean[part].mean()) for part in parts]
    pooled = [one.squares[part].sum() / one.freedom[part].sum() for part in parts]
    return np.asarray(np.maximum(np.interp(mean, centres, pooled), 1e-3))


def _log_density(target: np.ndarray, mean: np.ndarray, extra: np.ndarray, one: Side, spread: np.ndarray) -> np.ndarray:
    freedom = prior_freedom(one, spread)
    total = freedom + one.freedom
    variance = (freedom * spread + one.squares) / total + extra
    z = (target - mean) ** 2 / (total * variance)
    scale = gammaln((total + 1) / 2) - gammaln(total / 2) - 0.5 * np.log(total * np.pi * variance)
    return np.asarray(scale - (total + 1) / 2 * np.log1p(z))


def prior_freedom(one: Side, spread: np.ndarray) -> float:
    """Return how many observations the smooth variance is worth against a record's own (Smyth 2004, section 6.2)."""
    usable = (one.freedom > 0) & (one.squares > 0)
    if usable.sum() < 10:
        return FALLBACK_FREEDOM
    freedom = one.freedom[usable]
    logs = np.log(one.squares[usable] / freedom / spread[usable]) - digamma(freedom / 2) + np.log(freedom / 2)
    excess = float(logs.var(ddof=1) - polygamma(1, freedom / 2).mean())
    if excess <= 0:
        return 200.0
    low, high = 1.0, 200.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if polygamma(1, middle / 2) > excess else (low, middle)
    return low

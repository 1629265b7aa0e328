"""Numbers with their uncertainty. A claim holds only if the unlucky end of the interval respects its bound.

Proportions get the exact Clopper-Pearson interval (Clopper and Pearson, Biometrika 1934); anything else gets a
percentile bootstrap (Efron 1979) with its seed. No normal approximation: our n is small and our rates are near 0 and 1.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Measurement:
    """A value with a two-sided interval at `confidence`, the sample size and the seed it was drawn with."""

    value: float
    low: float
    high: float
    n: int
    seed: int
    unit: str = "share"
    method: str = "clopper-pearson"
    confidence: float = 0.95

    def __post_init__(self) -> None:
        """Refuse a value outside its own interval, and NaN."""
        if not self.low <= self.value <= self.high:
            raise ValueError(f"Measurement {self.value} outside its interval {self.low}..{self.high}")

    def __str__(self) -> str:
        """Return the value and interval as people read them."""
        if self.unit == "share":
            return f"{self.value:.1%} [{self.low:.1%}, {self.high:.1%}] n={self.n}"
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}] {self.unit} n={self.n}"


@dataclass(frozen=True, slots=True)
class AtMost:
    """The measured value is at most `bound`, with its interval's upper end."""

    bound: float

    def holds(self, measured: Measurement) -> bool:
        """Return whether even the upper end stays within the bound."""
        return measured.high <= self.bound

    def __str__(self) -> str:
        """Return the bound as people read it."""
        return f"≤ {self.bound:g}"


@dataclass(frozen=True, slots=True)
class AtLeast:
    """The measured value is at least `bound`, with its interval's lower end."""

    bound: float

    def holds(self, measured: Measurement) -> bool:
        """Return whether even the lower end reaches the bound."""
        return measured.low >= self.bound

    def __str__(self) -> str:
        """Return the bound as people read it."""
        return f"≥ {self.bound:g}"


Bound = AtMost | AtLeast


def proportion(hits: int, n: int, *, seed: int, confidence: float = 0.95) -> Measurement:
    """Return `hits / n` with its exact Clopper-Pearson interval. Raises ValueError unless 0 <= hits <= n, n >= 1."""
    if n < 1 or not 0 <= hits <= n:
        raise ValueError(f"proportion({hits}, {n}): expected 0 <= hits <= n and n >= 1")
    tail = (1 - confidence) / 2
    low = 0.0 if hits == 0 else _beta_quantile(tail, hits, n - hits + 1)
    high = 1.0 if hits == n else _beta_quantile(1 - tail, hits + 1, n - hits)
    return Measurement(hits / n, low, high, n, seed, confidence=confidence)


def bootstrap(
    values: Sequence[float],
    statistic: Callable[[np.ndarray], float],
    *,
    seed: int,
    unit: str,
    resamples: int = 2000,
) -> Measurement:
    """Return `statistic(values)` with a 95 % percentile bootstrap interval. `values` must not be empty."""
    data = np.asarray(values, dtype=float)
    if data.size == 0:
        raise ValueError("bootstrap of no values: expected at least one")
    rng = np.random.default_rng(seed)
    drawn = [statistic(data[rng.integers(0, data.size, data.size)]) for _ in range(resamples)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    value = float(statistic(data))
    return Measurement(
        value, min(float(low), value), max(float(high), value), int(data.size), seed, unit, "bootstrap-percentile"
    )


def quantile(values: Sequence[float], q: float, *, seed: int, unit: str) -> Measurement:
    """Return the `q` quantile (0..1) of `values` with a bootstrap interval."""
    return bootstrap(values, lambda data: float(np.quantile(data, q)), seed=seed, unit=unit)


def _beta_quantile(p: float, a: float, b: float) -> float:
    """Return x with I_x(a, b) = p, by bisection: 60 halvings reach the last bit of a double in 0..1."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _beta_cdf(middle, a, b) < p:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _beta_cdf(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b) (DLMF 8.17.22, Lentz's continued fraction)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta_cdf(1 - x, b, a)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    tiny = 1e-300
    c, d = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1), tiny)
    fraction = d
    for m in range(1, 400):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _away_from_zero(1 + term * d, tiny)
            c = _away_from_zero(1 + term / c, tiny)
            fraction *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return math.exp(log_front) * fraction / a


def _away_from_zero(value: float, tiny: float) -> float:
    return value if abs(value) > tiny else tiny

"""What DP-SGD spent: the epsilon of the Poisson-subsampled Gaussian, by three accountants that are named in print.

The same run has several true epsilons: the bound is the accountant's. `spent()` gives all three: Renyi DP with the
conversion of Mironov (2017), which most published figures used; Renyi DP with the conversion of Canonne, Kamath and
Steinke (2020); and the privacy loss distribution, composed by FFT, which is nearly exact. All speak of adding or
removing one record, and hold for the released model only if training did what it says (see `audit.py`).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import logsumexp
from scipy.stats import norm

ORDERS = np.concatenate([np.arange(1.1, 11.0, 0.1), np.arange(12.0, 64.0), [80.0, 128.0]])
BINS = 100_000
"""Bins of the privacy loss up to the largest epsilon asked for. They keep the mass of both densities."""


@dataclass(frozen=True)
class Mechanism:
    """A DP-SGD run: every step takes each record with probability `rate` and adds noise of `multiplier` clips."""

    rate: float
    multiplier: float
    steps: int

    def __post_init__(self) -> None:
        """Refuse what has no finite epsilon or is no sampling rate."""
        if not 0 < self.rate <= 1 or not self.multiplier > 0 or self.steps < 1:
            raise ValueError(f"{self}: expected 0 < rate <= 1, multiplier > 0, steps >= 1")


@dataclass(frozen=True)
class Spent:
    """The epsilon of one run at one delta, by accountant."""

    delta: float
    rdp_old: float
    """Renyi DP, conversion of Mironov 2017: what TF-Privacy and Opacus printed for years."""
    rdp_new: float
    """Renyi DP, conversion of Canonne, Kamath and Steinke 2020."""
    pld: float
    """Privacy loss distribution."""

    def __str__(self) -> str:
        """Return all three, and which is which."""
        return (
            f"epsilon {self.pld:.2f} (PLD), {self.rdp_new:.2f} (RDP, conversion of 2020), "
            f"{self.rdp_old:.2f} (RDP, conversion of 2017) at delta {self.delta:g}"
        )


def spent(run: Mechanism, delta: float) -> Spent:
    """Return what `run` spent at `delta` (0..1)."""
    if not 0 < delta < 1:
        raise ValueError(f"delta = {delta}: expected 0 < delta < 1")
    renyi = run.steps * rdp(run.rate, run.multiplier)
    old = float((renyi - np.log(delta) / (ORDERS - 1)).min())
    new = float((renyi + np.log1p(-1 / ORDERS) - np.log(delta * ORDERS) / (ORDERS - 1)).min())
    return Spent(delta, max(old, 0.0), max(new, 0.0), pld_epsilon(run, delta, reach=max(12.0, 3 * old)))


def noise_for(epsilon: float, delta: float, rate: float, steps: int) -> float:
    """Return the smallest noise multiplier (to 0.5 %) whose PLD epsilon is at most `epsilon`."""
    if not epsilon > 0:
        raise ValueError(f"epsilon = {epsilon}: expected epsilon > 0")
    low, high = 0.2, 0.4

    def too_little(multiplier: float) -> bool:
        return pld_epsilon(Mechanism(rate, multiplier, steps), delta, reach=2 * epsilon + 4) > epsilon

    while too_little(high):
        low, high = high, 2 * high
        if high > 1e4:
            raise ValueError(f"epsilon {epsilon} at delta {delta} needs a noise multiplier above 10,000")
    while high / low > 1.005:
        middle = (low * high) ** 0.5
        low, high = (middle, high) if too_little(middle) else (low, middle)
    return high


@lru_cache(maxsize=64)
def rdp(rate: float, multiplier: float) -> np.ndarray:
    """Return one step's Renyi divergence at each of `ORDERS` (Mironov, Talwar and Zhang 2019, by quadrature).

    The moment E[((1-q) + q exp((2z-1) / 2s^2))^a] under N(0, s^2) is smooth and decays like a Gaussian, so the
    trapezoid rule reaches rounding error; whole and broken orders are the same formula.
    """
    orders = ORDERS[:, None]
    z = np.arange(-12 * multiplier, ORDERS[-1] + 12 * multiplier, multiplier / 24)
    log_ratio = np.logaddexp(np.log1p(-rate) if rate < 1 else -np.inf, np.log(rate) + (2 * z - 1) / (2 * multiplier**2))
    values = orders * log_ratio + norm.logpdf(z, 0, multiplier)
    moments = logsumexp(values, axis=1) + np.log(z[1] - z[0])
    return np.asarray(np.maximum(moments, 0.0) / (ORDERS - 1))


def pld_epsilon(run: Mechanism, delta: float, reach: float = 40.0) -> float:
    """Return the smallest epsilon of `run` at `delta`, worse of adding and removing a record; `reach` bounds it."""
    return max(_composed_epsilon(_losses(run, remove, reach), run.steps, delta, reach) for remove in (True, False))


@dataclass(frozen=True)
class Losses:
    """One step's privacy loss: mass by bin from `lowest`, and what may be lost for certain."""

    lowest: int
    mass: np.ndarray
    infinite: float
    grid: float


def _losses(run: Mechanism, remove: bool, reach: float) -> Losses:
    """Discretise one step's loss so that the mass of both densities is kept in each bin (Doroshenko et al. 2022).

    With `remove`, the record is in the first data set: its output is the mixture; otherwise it is in the second.
    """
    grid, far = reach / BINS, 9.5 * run.multiplier
    ends = _loss_at(np.array([-far, 1 + far]), run)
    # A loss beyond reach counts as certain, one below as -reach: both can only raise epsilon.
    ends = np.clip(ends if remove else -ends[::-1], -reach, reach)
    low, high = int(np.floor(ends[0] / grid)), int(np.ceil(ends[1] / grid))
    edges = np.arange(low, high + 1) * grid
    first, second = (
        _bin_masses(edges, run, mixture, remove) for mixture in ((True, False) if remove else (False, True))
    )
    # a at the lower edge, b at the upper: a + b = first, a e^-l + b e^-u = second.
    lower, upper = np.exp(-edges[:-1]), np.exp(-edges[1:])
    at_upper = np.clip((first * lower - second) / (lower - upper), 0.0, first)
    mass = np.zeros(len(edges))
    mass[:-1] += first - at_upper
    mass[1:] += at_upper
    mass[0] += max(0.0, _below(edges[0], run, remove))
    return Losses(low, mass, max(0.0, 1.0 - float(mass.sum())), grid)


def _loss_at(z: np.ndarray, run: Mechanism) -> np.ndarray:
    base = np.log1p(-run.rate) if run.rate < 1 else -np.inf
    return np.asarray(np.logaddexp(base, np.log(run.rate) + (2 * z - 1) / (2 * run.multiplier**2)))


def _z_at(loss: np.ndarray, run: Mechanism) -> np.ndarray:
    """Return the output whose log-ratio of mixture to plain is `loss`; -inf below what can occur."""
    inner = np.expm1(loss) + run.rate
    with np.errstate(divide="ignore", invalid="ignore"):
        z = run.multiplier**2 * (np.log(np.maximum(inner, 0.0)) - np.log(run.rate)) + 0.5
    return np.asarray(np.where(inner > 0, z, -np.inf))


def _bin_masses(edges: np.ndarray, run: Mechanism, mixture: bool, remove: bool) -> np.ndarray:
    z = _z_at(edges, run) if remove else _z_at(-edges[::-1], run)
    masses = _between(z, 0.0, run.multiplier)
    if mixture:
        masses = (1 - run.rate) * masses + run.rate * _between(z, 1.0, run.multiplier)
    return masses if remove else masses[::-1]


def _between(z: np.ndarray, mean: float, deviation: float) -> np.ndarray:
    """Return the normal mass between neighbours, from whichever tail keeps its digits."""
    t = (z - mean) / deviation
    below, above = norm.cdf(t), norm.sf(t)
    return np.asarray(np.where(t[:-1] > 0, above[:-1] - above[1:], below[1:] - below[:-1]))


def _below(edge: float, run: Mechanism, remove: bool) -> float:
    """Return the first density's mass of losses below `edge`; moving it up to the edge can only raise epsilon."""
    z = float(_z_at(np.array([edge if remove else -edge]), run)[0]) / run.multiplier
    if not remove:
        return float(norm.sf(z))
    shifted = z - 1 / run.multiplier
    return float((1 - run.rate) * norm.cdf(z) + run.rate * norm.cdf(shifted))


def _composed_epsilon(one: Losses, steps: int, delta: float, reach: float) -> float:
    size = 1 << int(np.ceil(np.log2(2 * max(reach / one.grid, len(one.mass), -one.lowest))))
    placed = np.zeros(size)
    positions = (one.lowest + np.arange(len(one.mass))) % size
    np.add.at(placed, positions, one.mass)
    composed = np.fft.irfft(np.fft.rfft(placed) ** steps, size)
    losses = np.fft.fftfreq(size, 1 / size) * one.grid
    order = np.argsort(losses)
    losses, composed = losses[order], np.maximum(composed[order], 0.0)
    infinite = -np.expm1(steps * np.log1p(-min(one.infinite, 0.5)))
    if infinite >= delta:
        return float("inf")
    # delta(e) = sum over l > e of mass(l) (1 - exp(e - l)), plus what is lost for certain.
    above = np.cumsum(composed[::-1])[::-1]
    weighted = np.cumsum((composed * np.exp(-np.clip(losses, -500, 500)))[::-1])[::-1]
    excess = above - np.exp(np.clip(losses, -500, 500)) * weighted + infinite
    enough = np.flatnonzero((excess <= delta) & (losses >= 0))
    return float(losses[enough[0]]) if len(enough) else float("inf")

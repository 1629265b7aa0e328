"""The accountant prints what others published, to their digits, and is right where a closed form exists."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import gammaln, logsumexp
from scipy.stats import norm

from bartizan.lab.privacy.accountant import ORDERS, Mechanism, noise_for, pld_epsilon, rdp, spent

PUBLISHED = {
    "TF-Privacy, 60 epochs, 1.1": (256, 1.1, 60, 3.01, 2.60, 2.38),
    "TF-Privacy, 15 epochs, 1.3": (256, 1.3, 15, 1.19, 0.95, 0.86),
    "TF-Privacy, 45 epochs, 0.7": (256, 0.7, 45, 7.10, 6.32, 5.64),
    "Opacus, 15 epochs, 1.3": (240, 1.3, 15, 1.16, 0.92, 0.83),
    "Opacus, 60 epochs, 1.1": (240, 1.1, 60, 2.91, 2.50, 2.30),
    "Opacus, 45 epochs, 0.7": (240, 0.7, 45, 6.86, 6.09, 5.43),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_epsilons_of_mnist_come_out(name):
    """With the conversion they were made with; the tighter two stand beside it."""
    batch, multiplier, epochs, old, new, pld = PUBLISHED[name]
    got = spent(Mechanism(batch / 60_000, multiplier, epochs * 60_000 // batch), 1e-5)
    assert (round(got.rdp_old, 2), round(got.rdp_new, 2)) == (old, new)
    assert got.pld == pytest.approx(pld, abs=0.006)
    assert f"{old:.2f} (RDP, conversion of 2017)" in str(got)


def test_whole_orders_agree_with_the_binomial_formula():
    """Mironov, Talwar and Zhang 2019, equation for whole orders."""
    rate, sigma = 0.02, 0.9
    ours = dict(zip(np.round(ORDERS, 1), rdp(rate, sigma), strict=True))
    for order in (2, 5, 30):
        k = np.arange(order + 1)
        terms = gammaln(order + 1) - gammaln(k + 1) - gammaln(order - k + 1)
        terms += (order - k) * np.log1p(-rate) + k * np.log(rate) + (k * k - k) / (2 * sigma**2)
        assert ours[order] == pytest.approx(logsumexp(terms) / (order - 1), rel=1e-6)


@pytest.mark.parametrize(("sigma", "steps"), [(1.0, 1), (4.0, 16), (10.0, 50)])
def test_without_sampling_the_loss_distribution_is_the_exact_gaussian(sigma, steps):
    """Balle and Wang 2018, theorem 8; composition of Gaussians is a Gaussian."""
    whole = sigma / np.sqrt(steps)

    def excess(e):
        return norm.cdf(0.5 / whole - e * whole) - np.exp(e) * norm.cdf(-0.5 / whole - e * whole) - 1e-5

    got = pld_epsilon(Mechanism(1.0, sigma, steps), 1e-5)
    assert got == pytest.approx(brentq(excess, 0, 60), abs=2e-3)


def test_noise_is_found_for_an_epsilon_and_more_privacy_needs_more():
    """The answer spends at most what was asked, and little less."""
    rate, steps = 0.05, 200
    strict, loose = noise_for(1.0, 1e-4, rate, steps), noise_for(4.0, 1e-4, rate, steps)
    assert strict > loose
    assert 0.98 < spent(Mechanism(rate, strict, steps), 1e-4).pld <= 1.0
    with pytest.raises(ValueError, match="epsilon > 0"):
        noise_for(0.0, 1e-4, rate, steps)


def test_what_has_no_epsilon_is_refused():
    """No noise is no mechanism, and delta is a probability."""
    with pytest.raises(ValueError, match="multiplier > 0"):
        Mechanism(0.1, 0.0, 10)
    with pytest.raises(ValueError, match="0 < delta < 1"):
        spent(Mechanism(0.1, 1.0, 10), 0.0)
    assert spent(Mechanism(0.5, 0.3, 2000), 1e-5).pld > 100

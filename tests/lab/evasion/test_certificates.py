"""Certificates are attacked inside their radius; a promise that is too large is found broken."""

import torch

from bartizan.lab.evasion.certificates import attack_certificates
from bartizan.lab.hardening import smoothing
from bartizan.lab.hardening.smoothing import Smoothed
from bartizan.lab.target import Arrays


class Half(torch.nn.Module):
    """Class 1 to the right of zero."""

    def forward(self, x):
        return torch.cat([-x, x], 1) * 5


X = torch.tensor([[0.4], [-0.3], [0.0]])


def test_true_certificates_hold_and_the_border_has_none():
    """Two certified, none broken."""
    tested = attack_certificates(Smoothed(Half(), 0.5), X, Arrays((1,), -2, 2), samples=300)
    assert tested.certified == 2
    assert not any(tested.broken)


def test_a_certificate_that_promises_too_much_is_broken(monkeypatch):
    """With radii three times as large the attack crosses the border and says so."""
    real = smoothing.certify

    def boastful(*given, **named):
        honest = real(*given, **named)
        return smoothing.Certificate(honest.label, 3 * honest.radius)

    monkeypatch.setattr("bartizan.lab.evasion.certificates.certify", boastful)
    tested = attack_certificates(Smoothed(Half(), 0.5), X, Arrays((1,), -2, 2), samples=300)
    assert list(tested.broken) == [True, True, False]

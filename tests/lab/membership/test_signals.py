"""Confidence keeps its digits next to certainty, and shapes that do not belong together are refused."""

import numpy as np
import pytest

from bartizan.lab.membership.signals import Observed, own_probability, probabilities, scaled_confidence

Y = np.array([0, 1])


def test_probabilities_are_a_softmax_that_does_not_overflow():
    """Huge logits are fine."""
    assert np.allclose(probabilities(np.array([[1000.0, 1000.0], [0.0, -1000.0]])), [[0.5, 0.5], [1.0, 0.0]])


def test_scaled_confidence_is_the_log_odds_and_survives_certainty():
    """log p/(1-p) away from 1; next to it the small others are summed, not lost."""
    scores = np.array([[0.7, 0.3], [0.6, 0.4]])
    assert np.allclose(scaled_confidence(scores, Y), [np.log(0.7 / 0.3), np.log(0.4 / 0.6)])
    logits = np.array([[40.0, 0.0], [0.0, 0.0]])
    assert scaled_confidence(probabilities(logits), Y)[0] == pytest.approx(40, rel=1e-6)


def test_a_rounded_certainty_is_large_and_finite():
    """The floor is what the attacker's arithmetic allows."""
    value = scaled_confidence(np.array([[1.0, 0.0], [1.0, 0.0]]), Y, floor=0.05)
    assert value[0] == pytest.approx(np.log(1 / 0.05))
    assert value[1] == pytest.approx(-np.log(1 / 0.05))


def test_signals_of_target_and_references():
    """Each has its own shape."""
    scores = np.array([[0.7, 0.3], [0.6, 0.4]])
    seen = Observed(scores, np.stack([scores, scores]), np.zeros((2, 2), dtype=bool), Y)
    assert seen.reference_confidence.shape == (2, 2)
    assert np.allclose(seen.target_log_probability, np.log([0.7, 0.4]))
    assert np.allclose(seen.reference_probability, own_probability(seen.references, Y))
    with pytest.raises(ValueError, match="expected"):
        Observed(scores, np.stack([scores]), np.zeros((2, 2), dtype=bool), Y)

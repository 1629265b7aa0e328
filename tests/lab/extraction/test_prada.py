"""Honest distances are near normal, synthetic ones are not; too few questions say nothing."""

import numpy as np

from bartizan.lab.extraction.prada import normality
from bartizan.lab.reference_classifier import digits


def test_synthetic_questions_are_less_normal_than_honest_ones():
    """Half of the thief's are steps of one size from the others: two peaks of distances."""
    x = digits(0)[0].x.reshape(-1, 64)[:200]
    labels = np.zeros(200, int)
    stepped = np.concatenate([x[:100], x[:100] + 0.05 * np.sign(np.random.default_rng(0).normal(size=(100, 64)))])
    honest = normality(x, labels)
    assert honest > 0.95 > 0.9 > normality(stepped.astype(np.float32), labels)


def test_few_or_equal_questions_say_nothing():
    """Below the smallest sample, and where all distances are 0."""
    x = digits(0)[0].x.reshape(-1, 64)
    assert normality(x[:20], np.zeros(20, int)) == 1.0
    assert normality(np.repeat(x[:1], 50, axis=0), np.zeros(50, int)) == 1.0

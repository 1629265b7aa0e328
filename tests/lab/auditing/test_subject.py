"""What a subject tells of its inputs."""

import numpy as np
from tests.lab.auditing.samples import subject, white_box

from bartizan.lab.target import Access


def test_images_and_lines_are_told_apart_and_standardised():
    """Centre and deviation are those of strangers' records, which an attacker owns."""
    assert white_box().is_image
    assert not subject().is_image
    standard = subject().standard(subject().others.x)
    assert abs(float(standard.mean())) < 1e-5
    assert np.abs(standard.std(axis=0)).max() < 1.01


def test_a_model_of_labels_has_no_scores():
    """Families that need them say so."""
    assert subject().has_scores
    assert not subject(Access.LABELS).has_scores

"""The evaluator knows the people, is not fooled by strangers, and similarity is 1 only for the same image."""

import numpy as np
import pytest

from bartizan.lab.inversion.judge import evaluator, recognised, recognition, similarity, ssim
from bartizan.lab.inversion.people import people


def test_faces_are_recognised_strangers_and_shuffled_faces_are_not():
    """Both ways of being wrong."""
    group = people(15, seed=2)
    judge = evaluator(group.evaluator, seed=1)
    assert recognised(judge, group.faces).mean() > 0.8
    assert recognised(judge, group.strangers[:15]).mean() < 0.3
    assert not recognised(judge, np.roll(group.faces, 1, axis=0)).any()
    assert recognition(np.array([True, False]), seed=1).value == 0.5


def test_similarity_is_one_for_the_same_and_low_for_another():
    """A constant shows nothing of a face; a negative is unlike."""
    faces = people(6, seed=2).faces
    assert similarity(faces, faces, seed=1).value == pytest.approx(1.0)
    assert ssim(np.full(64, 0.5), faces[0]) < 0.1
    assert ssim(1 - faces[0], faces[0]) < 0

"""Regions: where lines of text are in a map of probabilities."""

import math

import numpy as np
import pytest

from bartizan.core.errors import BadArtifact
from bartizan.detect.pictures.regions import MOST_RUNS, regions


def bar(left: int, top: int, right: int, bottom: int) -> np.ndarray:
    drawn = np.zeros((200, 400), np.float32)
    drawn[top:bottom, left:right] = 0.9
    return drawn


def test_a_bar_is_one_level_region_grown_beyond_its_core():
    (found,) = regions(bar(100, 50, 300, 60))
    left, top, right, bottom = found.box()
    assert found.angle == 0.0
    assert left < 100 < 300 < right
    assert top < 50 < 60 < bottom
    assert abs(found.x - 200) < 1
    assert abs(found.y - 55) < 1


def test_two_bars_are_two_regions_from_the_top():
    found = regions(np.maximum(bar(100, 120, 300, 130), bar(20, 30, 200, 40)))
    assert [round(one.y) for one in found] == [35, 125]


def test_a_slanted_bar_has_its_own_angle():
    rows, columns = np.mgrid[0:200, 0:400]
    drawn = (np.abs((rows - 100) - 0.2 * (columns - 200)) < 5) & (np.abs(columns - 200) < 120)
    (found,) = regions(drawn.astype(np.float32))
    assert abs(found.angle - math.atan(0.2)) < 0.03
    assert found.along > 5 * found.across


def test_a_column_is_read_downwards():
    (found,) = regions(bar(100, 20, 110, 180))
    assert abs(found.angle - math.pi / 2) < 1e-6
    assert found.along > found.across


def test_what_is_unsure_or_too_thin_or_nothing_is_no_region():
    assert regions(bar(100, 50, 300, 60) * 0.45) == []
    assert regions(bar(100, 50, 300, 51)) == []
    assert regions(np.zeros((20, 20), np.float32)) == []


def test_noise_is_refused_before_it_costs_time():
    noise = np.zeros((600, 600), np.float32)
    noise[::2, ::2] = 1
    assert noise.sum() > MOST_RUNS
    with pytest.raises(BadArtifact, match="noise"):
        regions(noise)

"""Contrast: faint writing is made plain, and only where there is any."""

import numpy as np

from bartizan.detect.pictures.contrast import evened


def page(ink: int) -> np.ndarray:
    drawn = np.full((120, 200, 3), 250, np.uint8)
    drawn[50:60, 40:160:8] = drawn[50:60, 41:160:8] = ink
    return drawn


def test_faint_marks_come_out_strong():
    found = evened(page(246), [])
    assert found is not None
    assert int(np.ptp(page(246))) == 4
    assert int(np.ptp(found)) > 60


def test_a_blank_page_needs_no_second_look():
    assert evened(np.full((120, 200, 3), 250, np.uint8), []) is None


def test_what_was_read_already_needs_no_second_look():
    assert evened(page(246), [(30, 40, 170, 70)]) is None

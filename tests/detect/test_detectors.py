"""The detectors: named once each, in order."""

from bartizan.detect.detectors import DETECTORS


def test_every_detector_has_a_name_of_its_own():
    """Findings and settings name them."""
    assert len({detector.name for detector in DETECTORS}) == len(DETECTORS) >= 1

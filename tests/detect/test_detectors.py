"""The detectors: named once each, in order."""

import pytest

from bartizan.core.errors import BadSettings
from bartizan.core.findings import Finding, Severity
from bartizan.detect.detectors import detectors, self_test


def test_every_detector_has_a_name_of_its_own():
    """Findings and settings name them."""
    found = detectors()
    assert len({detector.name for detector in found}) == len(found) >= 2


@pytest.mark.parametrize(("severity", "said"), [(None, "does not see"), (Severity.HIGH, "takes a known innocent")])
def test_a_detector_that_does_not_work_stops_the_start(severity, said):
    """One that sees nothing, and one that sees attacks everywhere."""

    class Broken:
        name = "broken"

        def scan(self, text):
            return [Finding("x", severity, "y")] if severity else []

    with pytest.raises(BadSettings, match=said):
        self_test([Broken()])

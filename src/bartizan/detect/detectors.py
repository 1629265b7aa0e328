"""The detectors that run, in order."""

from bartizan.detect.base import Detector
from bartizan.detect.structure import Structure

DETECTORS: tuple[Detector, ...] = (Structure(),)

"""The corpus of other formats: every hostile sample is blocked, every honest one clean, the same bytes every time."""

import pytest

from bartizan.lab.hostile_formats import honest_formats, hostile_formats
from bartizan.supply.base import Budget, Verdict
from bartizan.supply.scan import scan_bytes


@pytest.mark.parametrize("sample", [*hostile_formats(), *honest_formats()], ids=lambda one: one.name)
def test_each_sample_has_the_verdict_that_it_was_made_for(sample):
    """With a reason."""
    result = scan_bytes(memoryview(sample.data), sample.name, Budget())
    assert result.verdict is (Verdict.BLOCK if sample.hostile else Verdict.CLEAN), result.findings
    assert bool(result.findings) is sample.hostile


def test_names_are_unique_and_the_bytes_repeat():
    """A report names a sample; it must mean one file."""
    for make in (hostile_formats, honest_formats):
        first = list(make())
        assert len({one.name for one in first}) == len(first)
        assert [one.data for one in first] == [one.data for one in make()]

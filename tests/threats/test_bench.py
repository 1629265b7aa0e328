"""A bench without listeners runs silently."""

from tests.threats.benches import bench


def test_progress_and_record_are_optional():
    """The defaults take what they are told and do nothing."""
    one = bench()
    assert one.progress("x", 1, 2) is None
    assert one.record("kind", {}) is None

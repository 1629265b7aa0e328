"""scan_all: a detector that crashes is a finding, and the others still run."""

from bartizan.core.findings import Finding, Severity
from bartizan.core.messages import Text, Trust
from bartizan.detect.base import scan_all


class Sees:
    """Finds something in everything."""

    name = "sees"

    def scan(self, text):
        """Yield one finding."""
        yield Finding("seen", Severity.LOW, "it is there")


class Crashes:
    """Fails half way."""

    name = "crashes"

    def scan(self, text):
        """Yield one finding and fail."""
        yield Finding("half", Severity.LOW, "half")
        raise RuntimeError("secret detail")


def test_a_crash_is_a_high_finding_without_its_details():
    """What was found before it is kept; the others still run; no detail leaks."""
    found = scan_all([Crashes(), Sees()], Text("x", Trust.USER, "/m/1"))
    assert [one.rule for one in found] == ["half", "detector-failed", "seen"] or [one.rule for one in found] == [
        "detector-failed",
        "seen",
    ]
    failed = next(one for one in found if one.rule == "detector-failed")
    assert failed.severity is Severity.HIGH
    assert "secret detail" not in failed.why
    assert failed.where == "/m/1"

"""A thousand random callables of the standard library, each in a random shape: none gets through."""

from collections import Counter

from bartizan.lab.stdlib_calls import callables, stdlib_calls
from bartizan.supply.base import Budget, Verdict
from bartizan.supply.scan import scan_bytes


def test_a_thousand_random_calls_are_stopped():
    """Blocked or unreadable, the global named; no crash."""
    verdicts = Counter()
    for sample in stdlib_calls(1000, seed=7):
        result = scan_bytes(memoryview(sample.data), sample.name, Budget())
        verdicts[result.verdict] += 1
        assert result.globals, sample.name
        assert any(result.globals[0] in one.why for one in result.findings), sample.name
    assert verdicts[Verdict.BLOCK] + verdicts[Verdict.UNREADABLE] == 1000
    assert verdicts[Verdict.BLOCK] == 1000


def test_the_list_holds_what_attackers_use():
    """From source text, without importing anything."""
    assert {("os", "execvp"), ("subprocess", "Popen"), ("pty", "spawn"), ("builtins", "exec")} <= set(callables())
    assert len(callables()) > 1000


def test_the_draw_is_repeatable():
    """By its seed."""
    assert [one.name for one in stdlib_calls(5, 1)] == [one.name for one in stdlib_calls(5, 1)]

"""Output controls that fail."""

import json
import time

import pytest

from bartizan.core.clock import SystemClock
from bartizan.gateway.guard import OutputGuard
from bartizan.gateway.output.base import Active, Look
from bartizan.gateway.wires.openai_answers import ChatReader

EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"hello "}}]}\n\n'


class Broken:
    """A control that crashes."""

    name = "broken"

    def overhear(self, text):
        return True

    def look(self, text, *, final):
        raise RuntimeError("broken")


class Slow:
    """A control that takes its time."""

    name = "slow"

    def overhear(self, text):
        return True

    def look(self, text, *, final):
        time.sleep(0.02)
        return Look([], len(text))


def guard(control, **options):
    return OutputGuard(ChatReader("m"), (Active(control, "block"),), None, SystemClock(), **options)


@pytest.mark.parametrize(("control", "rule"), [(Broken(), "control-failed"), (Slow(), "control-timeout")])
def test_a_failing_control_closes_the_answer(control, rule):
    """Streamed or whole, and the finding says which way it failed."""
    streamed = guard(control, timeout_s=0.01)
    assert b"hello" not in streamed.feed(EVENT)
    assert (bool(streamed.blocked), streamed.ended, streamed.findings[0].rule) == (True, True, rule)
    whole = guard(control, timeout_s=0.01)
    whole.whole(json.dumps({"choices": [{"message": {"content": "hello"}}]}).encode())
    assert whole.blocked


def test_fail_open_passes_what_was_held_and_the_rest():
    """Not a byte is lost, and the finding is kept."""
    open_ = guard(Broken(), fail_open=True)
    assert open_.feed(EVENT) + open_.feed(b"data: [DONE]\n\n") + open_.end() == EVENT + b"data: [DONE]\n\n"
    assert (open_.blocked, open_.findings[0].rule) == ("", "control-failed")

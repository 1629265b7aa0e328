"""A screen under guard: late, broken, off, or simply right."""

import threading
import time

import pytest

from bartizan.core.clock import SystemClock
from bartizan.core.messages import Message, Prompt, Role, ToolSpec
from bartizan.core.sections.detect import DetectRoute
from bartizan.core.verdicts import Allow, Block
from bartizan.gateway.screening import INLINE_CHARS, PASSED, GuardedScreen, size
from bartizan.gateway.testing import WordScreen, WordScreened


def prompt(text):
    return Prompt("m", (Message.of(Role.USER, text),))


class Slow:
    """A screen that takes its time."""

    def glance(self, prompt):
        return self.screen(prompt)

    def screen(self, prompt):
        time.sleep(0.05)
        return WordScreened(Allow())


class Thoughtful(WordScreen):
    """A screen that cannot judge at a glance, and notes which thread it is asked in."""

    asked_in = None

    def glance(self, prompt):
        return None

    def screen(self, prompt):
        self.asked_in = threading.current_thread()
        return super().screen(prompt)


@pytest.mark.parametrize("length", [10, INLINE_CHARS + 1])
async def test_a_late_screen_blocks(length):
    """Inline or in a thread, an overrun is a finding and closes the gate."""
    judged = await GuardedScreen(Slow(), "enforce", SystemClock(), timeout_s=0.01).judge(prompt("x" * length))
    assert isinstance(judged.enforced, Block)
    assert judged.findings[0].rule == "control-timeout"


async def test_fail_open_lets_pass_but_keeps_the_finding():
    """The operator may choose availability; the record still shows the failure."""
    guarded = GuardedScreen(WordScreen(), "enforce", SystemClock(), fail_open=True)
    judged = await guarded.judge(prompt("\N{SKULL}"))
    assert isinstance(judged.enforced, Allow)
    assert isinstance(judged.verdict, Block)
    assert judged.findings[0].rule == "control-failed"


async def test_what_a_glance_cannot_judge_is_judged_beside_the_event_loop():
    """A classifier that computes for milliseconds holds up nobody else's request."""
    screen = Thoughtful()
    judged = await GuardedScreen(screen, "enforce", SystemClock()).judge(prompt("forbidden"))
    assert isinstance(judged.enforced, Block)
    assert screen.asked_in not in (None, threading.current_thread())


async def test_long_prompts_are_screened_too():
    """The thread gives the same verdict as the loop."""
    judged = await GuardedScreen(WordScreen(), "enforce", SystemClock()).judge(prompt("x" * INLINE_CHARS + "forbidden"))
    assert isinstance(judged.enforced, Block)


def test_size_counts_tools_and_calls():
    """What a screen reads counts, wherever it stands."""
    assert size(Prompt("m", (Message.of(Role.USER, "four"),), (ToolSpec("t", "desc", "{}"),))) == 10


async def test_a_route_sets_the_mode_for_its_models():
    """The first entry that names the model counts; inherit is the gateway's own mode."""
    routes = (DetectRoute(("open-*",), mode="off"), DetectRoute(("watched",), mode="monitor"), DetectRoute(("*",)))
    guarded = GuardedScreen(WordScreen(), "enforce", SystemClock(), routes=routes)

    async def judged(model):
        return await guarded.judge(Prompt(model, (Message.of(Role.USER, "forbidden"),)))

    assert await judged("open-1") == PASSED
    watched = await judged("watched")
    assert (isinstance(watched.verdict, Block), isinstance(watched.enforced, Allow)) == (True, True)
    assert isinstance((await judged("other")).enforced, Block)

"""A child between pipes: its lines are heard, its end too, and a line without end is one."""

import sys

import pytest

from bartizan.core.errors import UpstreamFailed
from bartizan.mcp.child import Child
from bartizan.mcp.messages import Request


class Heard:
    """Who listens."""

    version = ""

    def __init__(self):
        self.lines, self.bad = [], []

    async def server_sends(self, raw, via=None):
        self.lines.append(raw.strip())

    async def bad_message(self, side, why):
        self.bad.append(why)


def python(code):
    """Return a child that runs a line of Python."""
    return Child((sys.executable, "-c", code), {"PATH": "/usr/bin:/bin"}, 1024)


async def test_a_child_is_heard_and_ended():
    """It answers one line with another, and goes when its input is closed."""
    child, ear = python("import sys\nfor line in sys.stdin: print(line.strip()[::-1], flush=True)"), Heard()
    await child.open(ear)
    await child.send(Request(1, "ping", {}))
    await child.finish()
    assert ear.lines[0].endswith(b"{")
    assert await child.close() == 0
    await child.send(Request(2, "ping", {}))


async def test_its_exit_code_is_told():
    """When it ends of itself."""
    child = python("raise SystemExit(3)")
    await child.open(Heard())
    await child.ended()
    assert await child.close() == 3


async def test_a_line_longer_than_any_message_ends_it():
    """What follows in it would be read as a message of its own."""
    child, ear = python("print('x' * 5000 + '{}', flush=True); input()"), Heard()
    await child.open(ear)
    await child.ended()
    assert ear.lines == []
    assert "1024 bytes" in ear.bad[0]
    await child.close()


async def test_a_command_that_is_not_there():
    """Is an error with its name."""
    with pytest.raises(UpstreamFailed, match="no-such-command"):
        await Child(("no-such-command",), {}, 1024).open(Heard())

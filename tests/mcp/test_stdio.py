"""Standard input and output: a real child between pipes, and both ends of it ending."""

import asyncio
import io
import json
import sys
from pathlib import Path

import pytest
from tests.mcp.standing import server_at
from tests.mcp.test_running import Kept

from bartizan.core.errors import UpstreamFailed
from bartizan.mcp.child import Child
from bartizan.mcp.session import Session
from bartizan.mcp.stdio import StdioProxy, lines_of, writer_of

CHILD = (sys.executable, str(Path(__file__).parent / "server_for_tests.py"))
ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


def asking(id_, method, **params):
    """Return one line of a client."""
    return json.dumps({"jsonrpc": "2.0", "id": id_, "method": method, "params": params}).encode() + b"\n"


class Client:
    """Sends a line once the answer to the last is here, then ends; keeps the answers."""

    def __init__(self, *lines):
        self.lines, self.answers, self.room = list(lines), [], asyncio.Event()
        self.room.set()

    async def read(self):
        await self.room.wait()
        self.room.clear()
        return self.lines.pop(0) if self.lines else b""

    async def write(self, data):
        self.answers.append(json.loads(data))
        self.room.set()


async def served(folder, *lines, **settings):
    """Return the client's answers and the exit code."""
    client = Client(*lines)
    child = Child(CHILD, ENVIRONMENT, 65536)
    proxy = StdioProxy(Session(server_at(folder, **settings)), Kept(), child, client.read, client.write)
    return client.answers, await proxy.run()


async def test_a_child_is_listed_called_and_ended(tmp_path, capsys):
    """Lines that are no messages are dropped, its noise is shown harmlessly, bad lines of the client are answered."""
    answers, code = await served(
        tmp_path, asking(1, "tools/list"), b"[]\n", asking(2, "tools/call", name="add", arguments={"a": 1})
    )
    assert [one.get("id") for one in answers] == [1, None, 2]
    assert answers[1]["error"]["code"] == -32600
    assert answers[2]["result"]["content"][0]["text"] == "done"
    assert code == 0
    assert "\x1b" not in capsys.readouterr().err


async def test_a_server_that_dies_leaves_nobody_waiting(tmp_path):
    """Its client gets an error, and its exit code is ours."""
    answers, code = await served(tmp_path, asking(1, "tools/list"), asking(2, "tools/call", name="die"))
    assert "ended before" in answers[1]["error"]["message"]
    assert code == 3


async def test_a_silent_server_is_given_up(tmp_path):
    """After the time that the operator set."""
    answers, _ = await served(
        tmp_path, asking(1, "tools/list"), asking(2, "tools/call", name="sleep"), call_timeout_s=1.0
    )
    assert "did not answer" in answers[1]["error"]["message"]


async def test_a_command_that_is_not_there_is_an_error(tmp_path):
    """With the command's name."""
    client = Client()
    child = Child(["no-such-command"], ENVIRONMENT, 65536)
    proxy = StdioProxy(Session(server_at(tmp_path)), Kept(), child, client.read, client.write)
    with pytest.raises(UpstreamFailed, match="no-such-command"):
        await proxy.run()


async def test_lines_are_read_whole_or_not_at_all():
    """A line over the limit ends the conversation: its rest must not be read as a message."""
    read_line = lines_of(io.BytesIO(b"one\n" + b"x" * 20 + b"\n{}\n"), 10)
    assert await read_line() == b"one\n"
    assert await read_line() == b""
    kept = io.BytesIO()
    await writer_of(kept)(b"a\n")
    assert kept.getvalue() == b"a\n"

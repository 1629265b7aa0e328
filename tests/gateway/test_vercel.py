"""Vercel's AI SDK under Node.js, direct and through the gateway: the same results, the same errors, typed refusals.

The packages are those of `tests/clients/vercel/package-lock.json`; `npm ci` installs them on the first run.
"""

import asyncio
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.doubles.canned_upstream import canned_upstream, document
from tests.gateway.test_langchain import TOOLS, USING
from tests.gateway.test_sdks import (
    CHAT,
    CHAT_STREAM,
    EMBEDDING,
    MESSAGE,
    MESSAGE_STREAM,
    RESPONSE,
    RESPONSE_STREAM,
    TOOL_STREAM,
)

from bartizan.gateway.upstream import HttpUpstream

CLIENT = Path(__file__).parent.parent / "clients/vercel"
PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "messages": "/v1/messages"}


@pytest.fixture(scope="module")
def node():
    """The path of Node.js, with the client's packages installed."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found is None or npm is None:
        pytest.skip("the AI SDK needs Node.js 18 or later and npm: not found on the PATH")
    lock, installed = CLIENT / "package-lock.json", CLIENT / "node_modules/.package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        done = subprocess.run([npm, "ci", "--ignore-scripts", "--no-fund"], cwd=CLIENT, capture_output=True, text=True)
        if done.returncode:
            pytest.fail(f"`npm ci` in {CLIENT} failed:\n{done.stderr[-2000:]}")
    return found


async def ask(node, url, names):
    """What the SDK makes of each answer."""
    process = await asyncio.create_subprocess_exec(
        node, str(CLIENT / "ask.mjs"), url, *names, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0, err.decode()[-2000:]
    return json.loads(out)


async def both(world, node, answers, names):
    """What `names` see directly and through us."""
    async with canned_upstream(answers) as direct:
        world.upstream = HttpUpstream("u", direct)
        async with world.server() as through:
            seen = await ask(node, direct, names), await ask(node, through, names)
        await world.upstream.close()
    return seen


async def test_the_ai_sdk_cannot_tell_the_difference(world, node):
    """Texts, parts of streams, reasons, usage, bodies, vectors."""
    answers = {
        ("/v1/chat/completions", False): CHAT,
        ("/v1/chat/completions", True): CHAT_STREAM,
        ("/v1/responses", False): document(RESPONSE),
        ("/v1/responses", True): RESPONSE_STREAM,
        ("/v1/messages", False): document(MESSAGE),
        ("/v1/messages", True): MESSAGE_STREAM,
        ("/v1/embeddings", False): EMBEDDING,
    }
    names = [name + end for name in PATHS for end in ("", "_stream")] + ["embeddings"]
    direct, through = await both(world, node, answers, names)
    for name in names:
        assert through[name] == direct[name]
        assert '"AI_APICallError"' not in json.dumps(direct[name])
    assert direct["chat"]["text"] == direct["responses"]["text"] == direct["messages"]["text"] == "Paris."
    assert len(world.records) == 10  # a stream has a record for its end


async def test_tool_calls_arrive_whole(world, node):
    """Streamed and not, in both dialects."""
    answers = {
        ("/v1/chat/completions", False): TOOLS,
        ("/v1/chat/completions", True): TOOL_STREAM,
        ("/v1/messages", False): USING,
    }
    names = ["chat_tools", "chat_tools_stream", "messages_tools"]
    direct, through = await both(world, node, answers, names)
    assert through == direct
    assert through["chat_tools"]["toolCalls"][0]["input"] == {"city": "Paris"}
    assert through["messages_tools"]["toolCalls"][0]["input"] == {"city": "Paris"}
    call = [part for part in through["chat_tools_stream"] if part["type"] == "tool-call"]
    assert call[0]["input"] == {"city": "Paris"}


async def test_errors_become_the_same_errors(world, node):
    """Name, status, body, and whether to try again."""
    details = {"type": "t", "message": "said so", "code": "c", "param": None}
    statuses = {"chat": 400, "responses": 429, "messages": 529}
    answers = {
        (PATHS[name], stream): document({"type": "error", "error": details, "request_id": "r"}, status)
        for name, status in statuses.items()
        for stream in (False, True)
    }
    names = [name + end for name in PATHS for end in ("", "_stream")]
    direct, through = await both(world, node, answers, names)
    assert through == direct
    for name, status in statuses.items():
        error = through[name]["error"]
        assert (error["name"], error["statusCode"], error["message"]) == ("AI_APICallError", status, "said so")


async def test_refusals_are_results_that_say_so(world, node):
    """No exception; the SDK's own word is `content-filter`."""
    names = [name + end for name in PATHS for end in ("_forbidden", "_forbidden_stream")]
    async with world.server() as url:
        seen = await ask(node, url, names)
    for name in PATHS:
        assert seen[name + "_forbidden"]["finishReason"] == "content-filter"
        assert seen[name + "_forbidden"]["text"].startswith("I'm sorry")
        finish = [part for part in seen[name + "_forbidden_stream"] if part["type"] == "finish"]
        assert finish[0]["finishReason"] == "content-filter"
    assert world.upstream.sent == []

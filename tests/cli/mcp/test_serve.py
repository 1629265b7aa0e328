"""`bartizan mcp serve`: a real client talks over HTTP to a real child behind it, with a key."""

import argparse
import json
import subprocess
import sys

import httpx
import pytest
from tests.cli.mcp.test_run import SERVER

from bartizan.cli.mcp.run import name_at, one_server
from bartizan.core.errors import BadSettings
from bartizan.core.sections.mcp import McpServer

WORDS = [sys.executable, "-m", "bartizan", "mcp", "serve", "--port", "0"]
HEADERS = {"accept": "application/json, text/event-stream", "content-type": "application/json"}


def test_a_client_talks_to_a_child_over_http(tmp_path):
    """With a key of the gateway's book; without one it is told to bring one. Ctrl-C ends it in order."""
    made = subprocess.run(
        [sys.executable, "-m", "bartizan", "keys", "create", "agent"], cwd=tmp_path, capture_output=True, text=True
    )
    key = next(word for word in made.stdout.split() if word.startswith("bz_"))
    process = subprocess.Popen(
        [*WORDS, "--name", "demo", "--", sys.executable, SERVER],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        url = process.stdout.readline().split()[1]
        asked = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25"}}
        with httpx.Client(headers=HEADERS, timeout=30.0, trust_env=False) as client:
            assert client.post(url, json=asked).status_code == 401
            client.headers["authorization"] = f"Bearer {key}"
            begun = client.post(url, json=asked)
            client.headers["mcp-session-id"] = begun.headers["mcp-session-id"]
            listed = client.post(url, json={"jsonrpc": "2.0", "id": 2, "method": "tools/list"}).json()
            assert [one["name"] for one in listed["result"]["tools"]] == ["add", "die", "sleep"]
            call = {"name": "add", "arguments": {"a": 1}}
            said = client.post(url, json={"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": call}).json()
            assert said["result"]["content"][0]["text"] == "done"
            call = {"name": "die"}
            said = client.post(url, json={"jsonrpc": "2.0", "id": 4, "method": "tools/call", "params": call}).json()
            assert "demo ended" in said["error"]["message"]
            assert client.post(url, json={"jsonrpc": "2.0", "id": 5, "method": "ping"}).status_code == 404
    finally:
        process.terminate()
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "stopped" in out
    log = subprocess.run(
        [sys.executable, "-m", "bartizan", "ledger", "verify"], cwd=tmp_path, capture_output=True, text=True
    )
    assert log.returncode == 0, json.dumps(log.stdout)


@pytest.mark.parametrize(
    ("name", "url", "command"),
    [(None, None, []), (None, "http://127.0.0.1:1/mcp", ["--", "x"]), ("unknown", None, []), ("A", None, ["--", "x"])],
)
def test_what_is_no_server_is_said(name, url, command):
    """None, two, an unknown name, a name that pins could not hold."""
    with pytest.raises(BadSettings, match="expected"):
        one_server(argparse.Namespace(name=name, url=url, command=command), ())


def test_a_server_of_the_settings_is_named():
    """With its key, which no command line should hold."""
    known = McpServer(name="files", url="https://a.test/mcp", api_key_env="KEY")
    assert one_server(argparse.Namespace(name="files", url=None, command=[]), (known,)) is known


def test_a_server_at_an_address_is_called_after_its_host():
    """Without what every host has."""
    assert name_at("https://mcp.Example.com:8443/mcp") == "example-com"
    assert name_at("http://[") == "server"

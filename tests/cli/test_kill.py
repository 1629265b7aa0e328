"""`bartizan kill` as people run it, and on a gateway that runs."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from bartizan.cli.main import main


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_scope_is_stopped_listed_and_let_go(capsys):
    """With the reason; patterns are refused, they would stop more than was meant."""
    assert main(["kill", "key:a", "--why", "leaked"]) == 0
    capsys.readouterr()
    assert main(["kill", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"key:a": "leaked"}
    assert main(["kill"]) == 0
    assert "leaked" in capsys.readouterr().out
    assert main(["kill", "key:a", "--lift"]) == 0
    assert main(["kill"]) == 0
    assert "nothing is stopped" in capsys.readouterr().out
    for bad in ("key:*", "key", "planet:earth"):
        assert main(["kill", bad]) == 2


def test_a_running_gateway_obeys_within_two_seconds(capsys):
    """Without any limit in force; 403 while it is off, as before when it is let go."""
    Path("bartizan.toml").write_text('[gateway]\nport = 0\n[[gateway.upstreams]]\nurl = "http://127.0.0.1:9"\n')
    command = [sys.executable, "-m", "bartizan", "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            url = re.search(r"http://[^\s/]+", process.stdout.readline())[0]
            ask = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
            for words, status in ((["model:m"], 403), (["model:m", "--lift"], 502), (["all"], 403)):
                assert main(["kill", *words]) == 0
                end = time.monotonic() + 2.5
                while (answer := httpx.post(f"{url}/v1/chat/completions", json=ask)).status_code != status:
                    assert time.monotonic() < end, answer.text
                    time.sleep(0.05)
        finally:
            process.terminate()
            process.communicate()

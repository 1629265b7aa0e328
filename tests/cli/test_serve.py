"""`bartizan serve` as people run it: a process that says where it listens and stops when asked."""

import os
import signal
import subprocess
import sys

import httpx
import pytest
from tests.doubles.tcp_upstream import answer, tcp_upstream

from bartizan.cli.main import main

ANSWER = b'{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hi"}}]}'
BODY = {"model": "m", "messages": [{"role": "user", "content": "What is the capital of France?"}]}


async def test_it_serves_records_and_stops(tmp_path):
    """Port 0, one clear line, one for a phrase that ended, a request through a real ledger, exit code 0 on SIGTERM."""
    (tmp_path / "bartizan.toml").write_text(
        '[[detect.allow]]\nphrase = "Ignore it all"\nuntil = 2026-01-31\nreason = "name of a button"\n'
    )
    async with tcp_upstream([[answer(ANSWER)]]) as upstream:
        command = [sys.executable, "-m", "bartizan", "serve", "--port", "0", "--upstream", upstream.url]
        process = subprocess.Popen(
            command,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
        )
        try:
            line = process.stdout.readline()
            base = line.split("listening on ")[1].split()[0]
            ended = process.stdout.readline()
            async with httpx.AsyncClient() as client:
                given = await client.post(f"{base}/chat/completions", json=BODY)
        finally:
            process.send_signal(signal.SIGTERM)
            rest, _ = process.communicate(timeout=20)
    assert given.content == ANSWER
    assert given.headers["x-bartizan-receipt"].startswith("0:")
    assert (process.returncode, "stopped" in rest) == (0, True)
    assert "detect.allow: 'Ignore it all' counts no more: its last day was 2026-01-31" in ended
    assert (tmp_path / "bartizan-data/checkpoints.txt").exists()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--port", "70000"], "--port = 70000"),
        (["--host", "0.0.0.0"], "anybody on the network"),
        (["--upstream", "ftp://x"], "expected http"),
    ],
)
def test_bad_settings_are_refused_before_listening(words, why, capsys, tmp_path, monkeypatch):
    """Exit code 2 and one clear line."""
    monkeypatch.chdir(tmp_path)
    assert main(["serve", *words]) == 2
    assert why in capsys.readouterr().err

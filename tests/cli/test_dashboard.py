"""`bartizan dashboard` really listens, answers, and stops."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from bartizan.cli.main import main


def test_it_listens_on_loopback_answers_and_stops(tmp_path):
    """A process of its own, a free port, SIGINT."""
    env = {**os.environ, "PYTHONPATH": str(Path("src").resolve())}
    command = [sys.executable, "-m", "bartizan", "dashboard", "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().split()[3]
            assert url.startswith("http://127.0.0.1:")
            for _ in range(100):
                try:
                    page = httpx.get(url, trust_env=False)
                    break
                except httpx.ConnectError:
                    continue
            assert "records in the ledger" in page.text
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(20) in (0, -signal.SIGINT, 130)


def test_a_bad_port_is_refused(tmp_path, monkeypatch, capsys):
    """Before anything starts."""
    monkeypatch.chdir(tmp_path)
    assert main(["dashboard", "--port", "99999"]) == 2
    assert "expected 0 to 65535" in capsys.readouterr().err

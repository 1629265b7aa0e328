"""`bartizan dashboard` really listens, lets the first admin in by the printed address, and stops."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from bartizan.cli.main import main


def test_it_listens_on_loopback_lets_the_first_admin_in_and_stops(tmp_path):
    """A process of its own, a free port, SIGINT."""
    env = {**os.environ, "PYTHONPATH": str(Path("src").resolve())}
    command = [sys.executable, "-m", "bartizan", "dashboard", "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            base = process.stdout.readline().split()[3]
            assert base.startswith("http://127.0.0.1:")
            setup = process.stdout.readline().split()[-1]
            with httpx.Client(trust_env=False, follow_redirects=True) as browser:
                for _ in range(100):
                    try:
                        page = browser.get(setup)
                        break
                    except httpx.ConnectError:
                        continue
                assert "The first admin" in page.text
                form = {"token": setup.partition("token=")[2], "name": "ann", "password": "correct horse battery"}
                assert "Under attack?" in browser.post(f"{base}setup", data=form).text
                for path in (
                    "things/keys",
                    "things/limits",
                    "things/stopped",
                    "things/runs",
                    "things/people",
                    "traffic",
                ):
                    assert browser.get(f"{base}{path}").status_code == 200, path
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(20) in (0, -signal.SIGINT, 130)


def test_a_bad_port_is_refused(tmp_path, monkeypatch, capsys):
    """Before anything starts."""
    monkeypatch.chdir(tmp_path)
    assert main(["dashboard", "--port", "99999"]) == 2
    assert "expected 0 to 65535" in capsys.readouterr().err

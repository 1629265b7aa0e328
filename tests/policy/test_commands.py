"""A command in a box: what it computes comes back, and it reaches nothing of the host."""

import os
import shutil
import subprocess
import time

import pytest

from bartizan.core.errors import BadRequest, BadSettings
from bartizan.policy.commands import CommandBox, CommandLimits


def allowed():
    """Whether this machine has the programs and its kernel allows a box."""
    if shutil.which("bwrap") is None:
        return False
    tried = subprocess.run(["bwrap", "--ro-bind", "/", "/", "--unshare-all", "true"], capture_output=True, check=False)
    return tried.returncode == 0


needs_box = pytest.mark.skipif(not allowed(), reason="needs bubblewrap and user namespaces: apt install bubblewrap")


@pytest.fixture(scope="module")
def box():
    """A box with small limits."""
    return CommandBox(CommandLimits(seconds=2.0, memory_bytes=256 << 20, output_bytes=1000, disk_bytes=1 << 20))


def said(box, script, inputs=None):
    """Return what a line of shell prints."""
    return box.run(["sh", "-c", script], inputs).output.decode()


@needs_box
def test_it_computes_from_what_it_is_given(box):
    """Output and exit status come back."""
    ran = box.run(["sort", "/inputs/names.txt"], {"names.txt": b"bob\nann\n"})
    assert (ran.reason, ran.code, ran.output) == ("ok", 0, b"ann\nbob\n")
    ran = box.run(["sh", "-c", "echo oh >&2; exit 3"])
    assert (ran.reason, ran.code, ran.output) == ("failed", 3, b"oh\n")


@needs_box
def test_nothing_of_the_host_is_reached(box, tmp_path, monkeypatch):
    """No file, variable, process, network interface or privilege; no write outlives it."""
    secret = tmp_path / "secret"
    secret.write_text("4711")
    monkeypatch.setenv("API_KEY", "sk-4711")
    assert "4711" not in said(box, f"cat {secret}; env; cat /etc/passwd /root/.bashrc; cat /proc/*/environ")
    assert said(box, "ls /proc | grep -c '^[0-9]'").strip() in {"3", "4", "5", "6"}
    assert said(box, "cat /proc/net/dev | grep -c ':'").strip() == "1"
    assert "CapEff:\t0000000000000000" in said(box, "grep CapEff /proc/self/status")
    assert "ok" not in said(box, "touch /usr/x /inputs/x /x && echo ok", {"a": b""})
    assert said(box, "echo 1 > kept; echo 2 > /tmp/kept; cat kept").strip() == "1"
    assert said(box, "ls /work /tmp").split() == ["/tmp:", "/work:"]
    assert os.getpid() != 1


@needs_box
def test_what_goes_beyond_is_ended(box):
    """Time on the clock and of the processor, memory, output, disk; nothing runs on after it."""
    begun = time.monotonic()
    assert box.run(["sh", "-c", "(sleep 60 &) ; sleep 60"]).reason == "time-limit"
    assert time.monotonic() - begun < 20
    flood = box.run(["yes"])
    assert (flood.reason, len(flood.output)) == ("output-limit", 1000)
    assert box.run(["head", "-c", "600000000", "/dev/zero"]).reason == "output-limit"
    assert box.run(["sh", "-c", "head -c 4000000 /dev/zero > /work/big"]).reason == "failed"
    hungry = box.run(["python3", "-c", "x = bytearray(900 << 20)"])
    assert hungry.reason == "failed"
    # Background processes keep the pipe open; they end with the box.
    assert box.run(["sh", "-c", "sleep 61 & echo started"]).reason in ("ok", "time-limit")
    left = subprocess.run(["pgrep", "-fx", "sleep 6[01]"], capture_output=True, check=False)
    assert left.stdout == b""


@needs_box
@pytest.mark.parametrize(
    ("command", "inputs"), [([], {}), (["a\0b"], {}), (["true"], {"../x": b""}), (["true"], {"": b""})]
)
def test_bad_calls_are_refused(box, command, inputs):
    """Before anything runs."""
    with pytest.raises(BadRequest):
        box.run(command, inputs)


def test_without_the_programs_it_says_what_to_install(monkeypatch):
    """Instead of running the command without a box."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BadSettings, match="needs bwrap and prlimit"):
        CommandBox()


def test_where_the_kernel_refuses_nothing_runs(tmp_path, monkeypatch):
    """A bwrap that cannot make namespaces, as in many containers."""
    for name, script in (
        ("bwrap", "echo 'bwrap: No permissions to create new namespace' >&2; exit 1"),
        ("prlimit", ""),
    ):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(BadSettings, match="No permissions to create new namespace"):
        CommandBox()

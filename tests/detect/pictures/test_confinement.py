"""Confinement: a process that gave everything up can compute and answer, and nothing else."""

import os
import socket
import subprocess
from collections.abc import Callable

import pytest

from bartizan.detect.pictures.confinement import can_confine, confined, limited

linux = pytest.mark.skipif(not can_confine(), reason="no kernel that confines on this machine")


def outcome(act: Callable[[], object], *, first: Callable[[], None]) -> str:
    """Return what a child says of `act` after `first`: ok, or its error's name."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        said = b"ok"
        try:
            first()
            act()
        except Exception as error:  # noqa: BLE001 - its name is the answer
            said = type(error).__name__.encode()
        finally:
            os.write(theirs, said)
            os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said.decode()


@linux
@pytest.mark.parametrize(
    "act",
    [
        lambda: os.open("/etc/passwd", os.O_RDONLY),
        lambda: os.stat("/"),
        lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        lambda: os.kill(os.getppid(), 0),
        lambda: os.fork() or os._exit(0),
        lambda: os.execv("/bin/true", ["true"]),
        lambda: subprocess.run(["true"], check=True),
    ],
    ids=["open", "stat", "socket", "kill", "fork", "exec", "run"],
)
def test_a_confined_process_reaches_nothing(act):
    assert outcome(act, first=lambda: None) in ("ok", "")  # exec leaves nobody to answer
    assert outcome(act, first=confined) == "PermissionError"


@linux
def test_a_confined_process_still_computes():
    assert outcome(lambda: sum(range(100_000)) + len(bytes(10_000_000)), first=confined) == "ok"


def test_memory_is_bounded():
    assert outcome(lambda: bytes(8 << 30), first=lambda: limited(1 << 30, 10)) == "MemoryError"

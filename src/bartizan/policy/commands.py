"""Runs a command that a model asked for in a box of namespaces (bubblewrap), where the kernel allows it.

Promise: the command reaches no network, no process, no environment variable and no file of the host but the system's
programs in /usr and the files that it is given, both read-only; it runs without privileges, and what it writes is
gone with it. Time, output, and memory and processor time of each process are bounded. That the call may happen at all
is decided before, as for any tool (`policy.decide`). Not bounded: the number of processes until the time is over.
There is no filter of system calls, so a bug of the kernel is a way out: for hostile code of strangers use a machine of
its own. Linux only; needs the programs bwrap (bubblewrap 0.8 or later) and prlimit (util-linux).
"""

import os
import selectors
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bartizan.core.errors import BadRequest, BadSettings

Reason = Literal["ok", "failed", "time-limit", "output-limit"]
_INPUTS, _WORK = "/inputs", "/work"
_PIECE = 65536


@dataclass(frozen=True, slots=True)
class CommandLimits:
    """What one command may use."""

    seconds: float = 10.0
    """On the clock, and of processor time for each of its processes."""
    memory_bytes: int = 512 * 2**20
    """Address space of each process."""
    output_bytes: int = 64 * 2**10
    """Of standard output and standard error together."""
    disk_bytes: int = 64 * 2**20
    """Of /work and of /tmp, each; both lie in memory."""


@dataclass(frozen=True, slots=True)
class CommandRan:
    """What came of a command. `code` is its exit status, or minus the signal that ended it."""

    reason: Reason
    code: int
    output: bytes
    """The first `output_bytes` of what it printed."""


class CommandBox:
    """Runs commands, each in a new box."""

    def __init__(self, limits: CommandLimits = CommandLimits()) -> None:
        """Try an empty command. Raises BadSettings when the programs are missing or the kernel refuses the box."""
        self._limits = limits
        found = {name: shutil.which(name) for name in ("bwrap", "prlimit")}
        missing = [name for name, path in found.items() if path is None]
        if missing:
            raise BadSettings(
                f"the command sandbox needs {' and '.join(missing)}, not found", hint="apt install bubblewrap"
            )
        self._program = str(found["bwrap"])
        tried = self.run(["true"])
        if tried.reason != "ok":
            said = tried.output.decode("utf-8", "replace").strip()
            raise BadSettings(
                f"the kernel refuses the command sandbox: {said[:200] or tried.reason}",
                hint="Allow unprivileged user namespaces (kernel.unprivileged_userns_clone), or do without commands.",
            )

    def run(self, command: Sequence[str], inputs: Mapping[str, bytes] | None = None) -> CommandRan:
        """Run `command` in an empty /work, with `inputs` (names without folders) in /inputs. Raises BadRequest."""
        if not command or any("\0" in word for word in command):
            raise BadRequest("command: expected one word or more, without NUL bytes")
        for name in inputs or {}:
            if name != Path(name).name or name in ("", ".", ".."):
                raise BadRequest(f"input {name[:80]!r}: expected the name of a file, without a folder")
        with tempfile.TemporaryDirectory(prefix="bartizan-box-") as folder:
            for name, data in (inputs or {}).items():
                (Path(folder) / name).write_bytes(data)
            return self._ran(self._boxed(command, folder))

    def _boxed(self, command: Sequence[str], folder: str) -> list[str]:
        limits = self._limits
        seconds = max(1, round(limits.seconds))
        links = [
            word
            for name in ("bin", "sbin", "lib", "lib64")
            if Path("/usr", name).is_dir()
            for word in ("--symlink", f"usr/{name}", f"/{name}")
        ]
        return [
            self._program, "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv",
            "--setenv", "PATH", "/usr/bin:/bin", "--setenv", "HOME", _WORK, "--setenv", "LANG", "C.UTF-8",
            "--hostname", "box", "--uid", "65534", "--gid", "65534",
            "--ro-bind", "/usr", "/usr", *links, "--proc", "/proc", "--dev", "/dev",
            "--size", str(limits.disk_bytes), "--tmpfs", "/tmp",  # noqa: S108 - inside the box
            "--size", str(limits.disk_bytes), "--tmpfs", _WORK,
            "--ro-bind", folder, _INPUTS, "--remount-ro", "/", "--chdir", _WORK, "--",
            "prlimit", f"--as={limits.memory_bytes}", f"--cpu={seconds}", "--core=0", "--nofile=256", "--",
            *command,
        ]  # fmt: skip

    def _ran(self, words: list[str]) -> CommandRan:
        limits = self._limits
        ends = time.monotonic() + limits.seconds
        output = bytearray()
        reason: Reason | None = None
        with subprocess.Popen(  # noqa: S603 - the box's own words; what the model asked for runs inside it
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={}
        ) as process:
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            with selectors.DefaultSelector() as ready:
                ready.register(process.stdout, selectors.EVENT_READ)
                while reason is None:
                    left = ends - time.monotonic()
                    if left <= 0 or not ready.select(left):
                        reason = "time-limit"
                        break
                    piece = os.read(process.stdout.fileno(), _PIECE)
                    if not piece:
                        break
                    output += piece
                    if len(output) > limits.output_bytes:
                        reason = "output-limit"
            try:
                code = process.wait(0 if reason else max(ends - time.monotonic(), 0))
            except subprocess.TimeoutExpired:
                reason = reason or "time-limit"
                process.kill()  # all processes of the box die with its first
                code = process.wait()
        return CommandRan(reason or ("failed" if code else "ok"), code, bytes(output[: limits.output_bytes]))

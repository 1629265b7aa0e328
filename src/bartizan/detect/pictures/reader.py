"""Reads pictures: hands each to the reading process and understands its answer. A crash or a long wait is an answer.

The process is started with an empty environment and no descriptor of ours but its line. It is started again when it is
gone. One picture at a time: several readers read several at once.
"""

import hashlib
import subprocess
import sys
import threading
from collections import OrderedDict
from multiprocessing.connection import Connection, Pipe
from types import TracebackType
from typing import Self

import msgspec

from bartizan.core.errors import BadSettings
from bartizan.detect.pictures.answers import MOST_BYTES, PATIENCE, Answer, Limits, Read, Unread, understood
from bartizan.detect.pictures.models import models

_START_S = 60.0
_GRACE_S = 5.0
_KEPT = 1024
_PLAIN = Limits()
# Not -m: that would read the environment for where modules are.
_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[3]); from bartizan.detect.pictures.worker import serve; "
    "from bartizan.detect.pictures.answers import Limits; import msgspec; "
    "serve(int(sys.argv[1]), msgspec.json.decode(sys.argv[2], type=Limits))"
)
_ALONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""No secret is in what can be read there; threads that compute would be lost in a fork."""


class PictureReader:
    """Reads pictures one after another, each once: what was read is remembered by the picture's digest. Thread-safe."""

    def __init__(self, limits: Limits = _PLAIN, program: str = _PROGRAM) -> None:
        """Start the process and test it. Raises BadSettings when it does not read, or the extra is not installed."""
        self.limits = limits
        self._program = program
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, Answer] = OrderedDict()
        self._process: subprocess.Popen[bytes] | None = None
        self._line: Connection[bytes, bytes] | None = None
        models()
        self._start()

    def known(self, data: bytes) -> Answer | None:
        """Return what is remembered of a picture."""
        if len(data) > self.limits.picture_bytes:
            return Unread(f"{len(data)} bytes: expected at most {self.limits.picture_bytes}", "unfit")
        return self._kept.get(hashlib.sha256(data).digest())

    def read(self, data: bytes) -> Answer:
        """Return what a picture says, or why that could not be read."""
        if (known := self.known(data)) is not None:
            return known
        with self._lock:
            if (known := self.known(data)) is not None:
                return known
            answer = self._asked(data)
            if isinstance(answer, Read) or answer.kind == "unfit":
                self._kept[hashlib.sha256(data).digest()] = answer
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            return answer

    def _asked(self, data: bytes) -> Answer:
        try:
            if self._line is None:
                self._start()
            assert self._line is not None  # noqa: S101 - just started
            self._line.send_bytes(data)
            if self._line.poll(PATIENCE * self.limits.seconds + _GRACE_S):
                return understood(self._line.recv_bytes(MOST_BYTES + 1))
            self._end()
            return Unread("the reading process did not answer", "late")
        except BadSettings as error:
            return Unread(str(error))
        except (OSError, EOFError) as error:
            self._end()
            return Unread(f"the reading process is gone: {type(error).__name__}")

    def _start(self) -> None:
        self._line, theirs = Pipe()
        with theirs:
            number = theirs.fileno()
            limits, path = msgspec.json.encode(self.limits).decode(), msgspec.json.encode(sys.path).decode()
            command = [sys.executable, "-I", "-c", self._program, str(number), limits, path]
            self._process = subprocess.Popen(  # noqa: S603 - this program itself
                command, pass_fds=[number], env=_ALONE, stdin=subprocess.DEVNULL, start_new_session=True
            )
        try:
            said = understood(self._line.recv_bytes(MOST_BYTES + 1)) if self._line.poll(_START_S) else Unread("late")
        except (OSError, EOFError):
            said = Unread("it ended before it was ready")
        if isinstance(said, Unread):
            self._end()
            why, _, hint = said.why.partition("\n")
            raise BadSettings(f"the process that reads pictures does not work: {why}", hint=hint)

    def _end(self) -> None:
        if self._line is not None:
            self._line.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._line = self._process = None

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def __enter__(self) -> Self:
        """Return it, started."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self.close()

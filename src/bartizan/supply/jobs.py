"""Scans many files in several processes at once; the results come in the order of the files, as with one.

Processes cost a start, so they begin only when a second of scanning did not do, and take files by the megabyte. A
process that dies (out of memory, killed) leaves its files UNREADABLE, never out, and another one takes its place.
"""

import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from queue import SimpleQueue

from bartizan.supply.base import Scanned, judged, unreadable
from bartizan.supply.folders import files_below
from bartizan.supply.scan import scan_file

File = tuple[Path, Path]
"""A file, and the path it was found below."""
_ALONE_S = 1.0
_FILES, _BYTES = 256, 32 << 20
"""What a process takes at a time, at most."""
_AHEAD = 4
"""Groups that wait for each process, so that a folder of millions is not listed before the first result."""
# Not multiprocessing's own: those import the whole program that started them, which takes longer than most scans.
_PROGRAM = "import sys; from bartizan.supply.jobs import serve; serve(int(sys.argv[1]))"


def scan_paths(paths: Iterable[Path], jobs: int) -> Iterator[Scanned]:
    """Yield the result of each file at or below `paths`, with `jobs` processes once that is worth it."""
    files = ((file, path) for path in paths for file in files_below(path))
    spent = 0.0
    for file, root in files:
        began = time.monotonic()
        yield scan_file(file, root)
        spent += time.monotonic() - began
        if jobs > 1 and spent > _ALONE_S:
            yield from _together(_groups(files), jobs)


def _groups(files: Iterator[File]) -> Iterator[list[File]]:
    group: list[File] = []
    size = 0
    for file in files:
        group.append(file)
        with suppress(OSError):
            size += file[0].stat().st_size
        if len(group) == _FILES or size >= _BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _together(groups: Iterator[list[File]], jobs: int) -> Iterator[Scanned]:
    workers: SimpleQueue[Worker] = SimpleQueue()
    waiting: deque[Future[list[Scanned]]] = deque()

    def scanned(group: list[File]) -> list[Scanned]:
        worker = workers.get()
        results, still_there = worker.scan(group)
        workers.put(worker if still_there else Worker())
        return results

    with ThreadPoolExecutor(jobs) as pool:
        try:
            for group in groups:
                if workers.empty() and len(waiting) < jobs:
                    workers.put(Worker())
                waiting.append(pool.submit(scanned, group))
                if len(waiting) >= jobs * _AHEAD:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
            pool.shutdown()
            while not workers.empty():
                workers.get().end()


class Worker:
    """A process that scans what it is sent."""

    def __init__(self, program: str = _PROGRAM) -> None:
        self._line, theirs = Pipe()
        with theirs:
            number = theirs.fileno()
            command = [sys.executable, "-c", program, str(number)]
            self._process = subprocess.Popen(command, pass_fds=[number])  # noqa: S603 - this program itself

    def scan(self, group: list[File]) -> tuple[list[Scanned], bool]:
        """Return the results, and whether the process is still there."""
        try:
            self._line.send(group)
            results: list[Scanned] = self._line.recv()
        except (OSError, EOFError):
            self.end()
            why = f"the process that scanned it ended with {self._process.returncode}"
            return [judged(str(file), "file", [unreadable(why, str(file))]) for file, _ in group], False
        return results, True

    def end(self) -> None:
        """Let the process go; one that is at work is stopped."""
        self._line.close()
        try:
            self._process.wait(1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def serve(number: int) -> None:
    """Scan groups that come over this descriptor until it is closed; the other side of `Worker`."""
    line: Connection[list[Scanned], list[File]] = Connection(number)
    with suppress(EOFError, KeyboardInterrupt, OSError):
        while True:
            line.send([scan_file(file, root) for file, root in line.recv()])

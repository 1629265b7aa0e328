"""Scans many files in several processes at once; the results come in the order of the files, as with one.

A process that dies (out of memory, killed) leaves its files UNREADABLE, never out.
"""

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from bartizan.supply.base import Scanned, judged, unreadable
from bartizan.supply.scan import scan_path

_TOGETHER = 16
"""Files that a process takes at a time."""
_AHEAD = 4
"""Such groups that wait for each process, so that a folder of millions is not listed before the first result."""


def scan_paths(paths: Iterable[Path], jobs: int) -> Iterator[Scanned]:
    """Yield the result of each file at or below `paths`, with `jobs` processes."""
    if jobs <= 1:
        for path in paths:
            yield from scan_path(path)
        return
    # Started afresh, not forked: a fork copies locks of threads that it does not have.
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        waiting: deque[tuple[list[Path], Future[list[Scanned]]]] = deque()
        for group in _groups(files_of(paths)):
            waiting.append((group, pool.submit(_scan_group, group)))
            if len(waiting) >= jobs * _AHEAD:
                yield from _finished(*waiting.popleft())
        while waiting:
            yield from _finished(*waiting.popleft())


def files_of(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files at or below `paths` in the order of `scan_path`; links count as files and are not followed."""
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            yield from files_of(sorted(path.iterdir()))
        else:
            yield path


def _groups(files: Iterator[Path]) -> Iterator[list[Path]]:
    group: list[Path] = []
    for file in files:
        group.append(file)
        if len(group) == _TOGETHER:
            yield group
            group = []
    if group:
        yield group


def _scan_group(group: list[Path]) -> list[Scanned]:
    return [result for file in group for result in scan_path(file)]


def _finished(group: list[Path], future: "Future[list[Scanned]]") -> list[Scanned]:
    try:
        return future.result()
    except (BrokenProcessPool, OSError) as error:
        why = f"the process that scanned it ended: {type(error).__name__}"
        return [judged(str(file), "file", [unreadable(why, str(file))]) for file in group]

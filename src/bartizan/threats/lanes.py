"""Runs proofs in processes of their own, several at a time, each lane on its own cores.

Threats that talk to the chat endpoint share one lane, so that one gateway, one target and one cap on requests serve
them. A proof that takes too long or whose process dies costs its own row (UNTESTED with the reason), not the others.
"""

import logging
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any, NoReturn

from bartizan.core.clock import Clock, SystemClock
from bartizan.core.errors import BartizanError
from bartizan.core.sections import Settings
from bartizan.ledger.log import Ledger
from bartizan.threats.base import Row, State, Threat, prove
from bartizan.threats.prepare import bench_for
from bartizan.threats.saved import decode, encode
from bartizan.threats.stage import set_up

Progress = Callable[[str, int, int], None]
_LOOK_S = 0.5


@dataclass
class Lane:
    """Threats that run one after the other in one process."""

    threats: list[Threat]
    chat: bool = False
    process: Any = None
    events: Connection | None = None
    began_ns: int = 0
    """When the running proof began."""
    cores: frozenset[int] = field(default_factory=frozenset)


def lanes(threats: Sequence[Threat]) -> list[Lane]:
    """Return the lanes for `threats`: the chat lane first, it is the longest."""
    talking = [threat for threat in threats if threat.asks_chat]
    alone = [Lane([threat]) for threat in threats if not threat.asks_chat and threat.run is not None]
    return ([Lane(talking, chat=True)] if talking else []) + alone


class Runner:
    """Keeps `assess.jobs` lanes running until every threat has its row."""

    def __init__(self, configured: Settings, clock: Clock, progress: Progress, spent: int = 0) -> None:
        """Run with the operator's settings; `progress` hears what is running; `spent` requests are gone already."""
        self._settings, self._clock, self._progress = configured, clock, progress
        self._context = multiprocessing.get_context("spawn")
        self.spent = spent
        """Requests to the chat endpoint so far."""

    def rows(self, threats: Sequence[Threat]) -> Iterator[Row]:
        """Yield the rows of `threats` as they are finished, in any order."""
        for threat in threats:
            if threat.run is None:
                yield Row(threat, State.NO_CLAIM, "nothing is claimed for this threat yet, so nothing was measured")
        waiting, running = lanes(threats), list[Lane]()
        shares = _shares(self._settings.assess.jobs)
        try:
            while waiting or running:
                while waiting and len(running) < len(shares):
                    taken = {lane.cores for lane in running}
                    lane = waiting.pop(0)
                    lane.cores = next(share for share in shares if share not in taken)
                    self._start(lane)
                    running.append(lane)
                for lane, events in self._ready(running):
                    yield from self._heard(lane, events)
                for lane in self._late(running):
                    _stop(lane)
                    limit = self._settings.assess.proof_timeout_s
                    yield self._lost(lane, f"took longer than assess.proof_timeout_s = {limit:g} s and was stopped")
                for lane in [lane for lane in running if lane.process is None]:
                    running.remove(lane)
                    if lane.threats:
                        waiting.insert(0, lane)
        finally:
            for lane in running:
                _stop(lane)

    def _start(self, lane: Lane) -> None:
        ours, theirs = self._context.Pipe(duplex=False)
        names = [threat.id for threat in lane.threats]
        work = (theirs, self._settings, names, lane.chat, sorted(lane.cores), self.spent)
        lane.process = self._context.Process(target=run_lane, args=work, daemon=False)
        lane.process.start()
        theirs.close()
        lane.events, lane.began_ns = ours, self._clock.monotonic_ns()

    @staticmethod
    def _ready(running: Sequence[Lane]) -> list[tuple[Lane, Connection]]:
        pairs = [(lane, lane.events) for lane in running if lane.events is not None]
        heard = wait([events for _, events in pairs], timeout=_LOOK_S)
        return [(lane, events) for lane, events in pairs if events in heard]

    def _late(self, running: Sequence[Lane]) -> list[Lane]:
        limit_ns = self._settings.assess.proof_timeout_s * 1e9
        now = self._clock.monotonic_ns()
        return [lane for lane in running if lane.process is not None and now - lane.began_ns > limit_ns]

    def _heard(self, lane: Lane, events: Connection) -> Iterator[Row]:
        """Take one event of `lane`, or end it when its process is gone."""
        try:
            kind, *said = events.recv()
        except (EOFError, OSError):
            _stop(lane)
            if lane.threats:
                yield self._lost(lane, "the process of the proof died before it was done")
            return
        match kind:
            case "progress":
                self._progress(*said)
            case "spent":
                self.spent = said[0]
            case "row":
                row = decode(said[0])
                lane.threats = [threat for threat in lane.threats if threat.id != row.threat.id]
                lane.began_ns = self._clock.monotonic_ns()
                yield row
            case _:
                raise ValueError(f"a lane sent {kind!r}: expected progress, spent or row")

    @staticmethod
    def _lost(lane: Lane, why: str) -> Row:
        return Row(lane.threats.pop(0), State.UNTESTED, why)


def run_lane(
    events: Connection, configured: Settings, names: Sequence[str], chat: bool, cores: Sequence[int], spent: int
) -> None:
    """Prove the threats called `names` in this process and send what happens over `events`. The child's side."""
    from bartizan.threats import THREATS

    os.setsid()  # a group of our own: Ctrl-C goes to the parent, and the parent can end all that we started
    signal.signal(signal.SIGTERM, _leave)
    # Attackers hang up on purpose, and asyncio would warn of each of them between the lines of progress.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    os.sched_setaffinity(0, cores)
    threats = [threat for name in names for threat in THREATS if threat.id == name]
    ledger = Ledger.configured(configured.ledger, SystemClock())
    with ExitStack() as stack:
        stack.callback(ledger.close)
        stage = None
        if chat:
            try:
                stage = stack.enter_context(set_up(configured, spent=spent))
            except BartizanError as error:
                for threat in threats:
                    _tell(events, ("row", encode(Row(threat, State.UNTESTED, f"{error} ({error.hint()})".strip()))))
                return
        for threat in threats:

            def progress(what: str, done: int, total: int, threat: Threat = threat) -> None:
                if stage is not None:
                    _tell(events, ("spent", stage.budget.spent))
                _tell(events, ("progress", f"{threat.id} {threat.name}: {what}", done, total))

            progress("starting", 0, 1)
            row = prove(threat, bench_for(configured, stage, ledger, progress))
            progress("done", 1, 1)
            _tell(events, ("row", encode(row)))


def _tell(events: Connection, said: tuple[Any, ...]) -> None:
    """Send to the parent; where it was killed nobody listens any more, so what this lane started is stopped."""
    try:
        events.send(said)
    except BrokenPipeError:
        _leave()


def _leave(*_: object) -> NoReturn:
    """Unwind, so that the gateway and the target that a lane started are stopped too."""
    raise SystemExit(143)


def _shares(jobs: int) -> list[frozenset[int]]:
    """Return the cores of this process in `jobs` disjoint shares, fewer when there are fewer cores."""
    cores = sorted(os.sched_getaffinity(0))
    count = min(jobs, len(cores))
    return [frozenset(cores[index::count]) for index in range(count)]


def _stop(lane: Lane) -> None:
    if lane.process is None:
        return
    lane.process.terminate()
    lane.process.join(20)
    if lane.process.is_alive():
        with suppress(ProcessLookupError):
            os.killpg(lane.process.pid, signal.SIGKILL)
        lane.process.join()
    if lane.events is not None:
        lane.events.close()
    lane.process, lane.events = None, None

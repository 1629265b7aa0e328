"""Writes what happened to the ledger without making the event loop wait for the disk.

Records of concurrent requests share one commit: a writer thread takes whatever has gathered and appends it at once.
A receipt is handed out only after its record is durable. A ledger that fails is an error for everyone who waits, so
that the caller can refuse to answer. The thread also signs a checkpoint when the last is older than asked.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from bartizan.core.clock import Clock
from bartizan.core.errors import BadEvidence

_LARGEST_BATCH = 512
_GATHER_S = 0.002


class Receipt(Protocol):
    """Where a record stands in the log."""

    @property
    def seq(self) -> int:
        """Its position."""
        ...

    @property
    def leaf_hash(self) -> bytes:
        """Its hash."""
        ...


class Log(Protocol):
    """What the writer needs of a ledger."""

    def append_many(self, records: list[tuple[str, Mapping[str, Any]]], /) -> Sequence[Receipt]:
        """Append every record in one transaction, durable on return."""
        ...

    def checkpoint(self) -> object:
        """Sign the log as it stands."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


_Item = tuple[str, Mapping[str, Any], "asyncio.Future[Receipt] | None"]


class Recorder:
    """The writer thread and its queue. Made and used on the event loop."""

    def __init__(self, log: Log, clock: Clock, checkpoint_every_s: float = 1.0) -> None:
        """Start the thread that writes to `log`."""
        self._log = log
        self._clock = clock
        self._every_ns = int(checkpoint_every_s * 1e9)
        self._queue: queue.SimpleQueue[list[_Item] | None] = queue.SimpleQueue()
        self._gathered: list[_Item] = []
        self._loop = asyncio.get_running_loop()
        self._failed = ""
        self._coming = 0
        self._thread = threading.Thread(target=self._write, name="ledger-writer", daemon=True)
        self._thread.start()

    def began(self) -> None:
        """Note that a request is on its way and will want a record."""
        self._coming += 1

    def ended(self) -> None:
        """Note that it will want none any more."""
        self._coming -= 1

    async def record(self, kind: str, body: Mapping[str, Any]) -> Receipt:
        """Append one record and return its receipt once it is durable. Raises BadEvidence when it cannot be kept."""
        future: asyncio.Future[Receipt] = self._loop.create_future()
        self._put((kind, body, future))
        return await future

    def enqueue(self, kind: str, body: Mapping[str, Any]) -> None:
        """Append one record soon; nobody waits for it."""
        self._put((kind, body, None))

    def _put(self, item: _Item) -> None:
        """Hand the records of one turn of the event loop over together: waking the thread costs more than a record."""
        if not self._gathered:
            self._loop.call_soon(self._hand_over)
        self._gathered.append(item)

    def _hand_over(self) -> None:
        if self._gathered:
            self._queue.put(self._gathered)
            self._gathered = []

    @property
    def failed(self) -> str:
        """Why the last write failed; empty while the ledger works."""
        return self._failed

    async def close(self) -> None:
        """Write what is queued, sign a last checkpoint, close the log."""
        self._hand_over()
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _write(self) -> None:
        sealed_ns, unsealed, open_ = self._clock.monotonic_ns(), False, True
        while open_:
            batch, open_ = self._gather(self._every_ns / 1e9 if unsealed else None)
            if batch:
                unsealed = self._append(batch) or unsealed
            due = self._clock.monotonic_ns() - sealed_ns >= self._every_ns
            if unsealed and (due or not open_) and self._seal():
                sealed_ns, unsealed = self._clock.monotonic_ns(), False
        self._log.close()

    def _gather(self, timeout_s: float | None) -> tuple[list[_Item], bool]:
        """Return what waits in the queue, at least one record unless `timeout_s` passed, and whether more may come."""
        batch: list[_Item] = []
        try:
            items = self._queue.get(timeout=timeout_s)
            if items is not None and self._coming > len(items):
                time.sleep(_GATHER_S)  # others are on their way: one commit for all of them
            while items is not None:
                batch += items
                if len(batch) >= _LARGEST_BATCH:
                    return batch, True
                items = self._queue.get_nowait()
        except queue.Empty:
            return batch, True
        return batch, False

    def _append(self, batch: list[_Item]) -> bool:
        try:
            receipts = self._log.append_many([(kind, body) for kind, body, _ in batch])
        except Exception as error:  # noqa: BLE001 - whatever broke, the waiting requests must hear of it
            self._failed = type(error).__name__
            self._answer(batch, None, f"the ledger cannot be written: {type(error).__name__}: {error}")
            return False
        self._failed = ""
        self._answer(batch, receipts, "")
        return True

    def _seal(self) -> bool:
        try:
            self._log.checkpoint()
        except Exception as error:  # noqa: BLE001 - records are safe; the failed seal shows in `failed`
            self._failed = f"checkpoint: {type(error).__name__}"
            return False
        return True

    def _answer(self, batch: list[_Item], receipts: Sequence[Receipt] | None, error: str) -> None:
        def resolve() -> None:
            for index, (_, _, future) in enumerate(batch):
                if future is None or future.done():
                    continue
                if receipts is None:
                    future.set_exception(BadEvidence(error))
                else:
                    future.set_result(receipts[index])

        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(resolve)
